#!/usr/bin/env bash
# A real Triton Inference Server on this machine, without Docker and without a GPU, for development and tests:
# 2.51.0 out of the wheel nvidia-pytriton. For production use the official container (see README.md).
#
#   run-local.sh prepare                          installs it, starts nothing
#   run-local.sh MODEL_REPOSITORY [FLAG...]       serves that repository until SIGTERM; flags go to tritonserver
#
# Environment: TRITON_HOME (where it is installed, about 5 GB; default ~/.cache/lladav/triton), TRITON_PYTHON (3.9 to
# 3.13, with its shared library; default python3), TRITON_GRPC_PORT (8001), TRITON_METRICS_PORT (8002). The models
# inherit the environment.
set -euo pipefail

fail() {
  echo "run-local.sh: $1" >&2
  exit 1
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
command=${1:-}
[[ -n "$command" ]] || fail "which model repository? (expected: a directory, or: prepare)"
[[ "$(uname -sm)" == "Linux x86_64" ]] || fail "the packaged server runs on Linux x86_64 alone, this is $(uname -sm); use the container"
python=${TRITON_PYTHON:-python3}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "no $python; set TRITON_PYTHON"
home=${TRITON_HOME:-"${XDG_CACHE_HOME:-$HOME/.cache}/lladav/triton"}
ready="$home/ready-$version-$(sha256sum "$here/requirements-local.txt" | cut -c1-12)"

install_server() {
  echo "run-local.sh: installing Triton 2.51 and PyTorch into $home: about 2.8 GB to download, once" >&2
  rm -rf "$home/venv" "$home"/ready-*
  "$python" -m venv "$home/venv" || fail "$python has no module venv (Debian: apt-get install python3-venv)"
  local pip=("$home/venv/bin/pip" --quiet --disable-pip-version-check install)
  # Its dependencies serve the Python interface of that package, which is not used.
  "${pip[@]}" --no-deps nvidia-pytriton==0.7.0
  # Pip would name those as missing, as errors.
  "${pip[@]}" -r "$here/requirements-local.txt" 2>"$home/pip.log" || { cat "$home/pip.log" >&2; fail "pip could not install"; }
  local server
  server=$("$home/venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("pytriton").submodule_search_locations[0])')/tritonserver
  # The process that runs a model, one per version of Python.
  install -m 755 "$server/python_backend_stubs/$version/triton_python_backend_stub" "$server/backends/python/"
  echo "$server" >"$ready"
}

mkdir -p "$home"
if [[ ! -f "$ready" ]]; then
  # Two first runs at once must not install over each other.
  exec 9>"$home/lock"
  flock 9
  [[ -f "$ready" ]] || install_server
  exec 9>&-
fi
[[ "$command" != prepare ]] || exit 0
[[ -d "$command" ]] || fail "$command is no directory (expected: a model repository)"
shift

server=$(cat "$ready")
libdir=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR") or "")')
if [[ -e "$libdir/libpython$version.so.1.0" ]]; then
  export LD_LIBRARY_PATH="$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
elif ! ldconfig -p | grep -q "libpython$version.so.1.0"; then
  fail "no libpython$version.so.1.0 (Debian: apt-get install libpython$version; or a Python built with --enable-shared)"
fi
# The models' process takes its packages from the first python3 on PATH.
export PATH="$home/venv/bin:$PATH"
exec "$server/bin/tritonserver" --model-repository="$command" \
  --backend-directory="$server/backends" --cache-directory="$server/caches" \
  --model-control-mode=explicit --disable-auto-complete-config \
  --allow-http=false --allow-gpu-metrics=false \
  --grpc-address=127.0.0.1 --grpc-port="${TRITON_GRPC_PORT:-8001}" \
  --metrics-address=127.0.0.1 --metrics-port="${TRITON_METRICS_PORT:-8002}" \
  --exit-timeout-secs=10 --log-format=ISO8601 "$@"
