#!/usr/bin/env bash
# Records what NVIDIA's own client sends for the requests in record_requests.py: src/test/resources/recorded/*.bin.
# Run it again after a change of the requests; the tests themselves need no Python.
set -euo pipefail
cd "$(dirname "$0")"
venv=../../../target/recorder
python3 -m venv "$venv"
# 2.51.0 is the client of the server that the tests start.
"$venv/bin/pip" --quiet --disable-pip-version-check install 'tritonclient[grpc]==2.51.0' 'numpy==1.26.4'
"$venv/bin/python" record_requests.py ../resources/recorded
