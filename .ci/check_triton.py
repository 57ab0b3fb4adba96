"""Starts a real Triton and the four services on it, and takes things away in the middle of generations: the client, the
process of the model, the whole server. Checks what clients see, and that nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import grpc
from check_cluster import CHECKPOINT, ROOT, TARGET, ask, wait_until_serving
from check_death import SETTINGS, generate
from google.rpc import error_details_pb2
from grpc_status import rpc_status

GRPC_PORT, METRICS_PORT = 18001, 18002
DENOISER = "localhost:7403"
LIMIT_SECONDS = 120
PREFIX = SETTINGS["prefix"]


def start_triton() -> subprocess.Popen:
    environment = os.environ | {"LLADAV_CHECKPOINT": str(CHECKPOINT), "TRITON_GRPC_PORT": str(GRPC_PORT),
                                "TRITON_METRICS_PORT": str(METRICS_PORT)}
    models = [f"--load-model={name}" for name in ("siglip2", "projector", "llada")]
    return subprocess.Popen([ROOT / "deploy/triton/run-local.sh", ROOT / "deploy/triton/models", *models],
                            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


def metric(name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/metrics", timeout=10) as response:
        found = re.search(rf"^{name}{{.*}} (\S+)$", response.read().decode(), re.MULTILINE)
    return float(found.group(1)) if found else -1


def wait(what: str, holds) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        try:
            if holds():
                return
        except OSError:
            pass  # The server is not there yet.
        time.sleep(0.1)
    sys.exit(f"not within {LIMIT_SECONDS} s: {what}")


def is_serving(target: str) -> bool:
    with grpc.insecure_channel(target) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")  # bytes in, bytes out
        try:
            return check(b"", timeout=5) == b"\x08\x01"
        except grpc.RpcError:
            return False


def stubs(model: str) -> list[int]:
    """Processes of ours that run a model."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode()
            except OSError:
                continue  # It has ended.
            if str(ROOT) in command and f"/{model}/1/model.py" in command:
                found.append(int(entry.name))
    return found


def cancelled_client() -> None:
    class Gone(Exception):
        pass

    def leave(count: int) -> None:
        if count == 5:
            raise Gone

    try:
        generate(PREFIX, leave)
    except Gone:
        pass
    wait("the session of a client that has gone is freed", lambda: metric("lladav_llada_sessions") == 0)
    print("a client that goes away: its session is freed")


def killed_model(undisturbed: list[bytes]) -> None:
    def kill(count: int) -> None:
        if count == 9:
            for pid in stubs("llada"):
                os.kill(pid, signal.SIGKILL)

    if generate(PREFIX, kill) != undisturbed:
        sys.exit("another reply after the model's process was killed")
    print("the process of the model killed: loaded again, the same reply")


def stopped_server(triton: subprocess.Popen, how: signal.Signals, undisturbed: list[bytes]) -> subprocess.Popen:
    def stop(count: int) -> None:
        if count == 9:
            os.killpg(triton.pid, how)

    try:
        reply = generate(PREFIX, stop)
        if reply != undisturbed:
            sys.exit(f"another reply after {how.name} to the server")
        print(f"{how.name} to the server: the running generation was finished")
    except grpc.RpcError as failure:
        status = rpc_status.from_call(failure)
        retry = [detail for detail in status.details if detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR)]
        if failure.code() != grpc.StatusCode.UNAVAILABLE or not retry:
            sys.exit(f"{how.name} to the server: {failure.code()} {failure.details()} (expected: UNAVAILABLE, RetryInfo)")
        print(f"{how.name} to the server: UNAVAILABLE with RetryInfo: {failure.details()}")
    wait("the denoiser says that it is not serving", lambda: not is_serving(DENOISER))
    try:
        triton.wait(30)
    except subprocess.TimeoutExpired:
        # Release 2.51 hangs when it is told to stop while a stream is open.
        os.killpg(triton.pid, signal.SIGKILL)
        triton.wait(10)
    triton = start_triton()
    wait("the denoiser serves again", lambda: is_serving(DENOISER))
    if generate(PREFIX) != undisturbed:
        sys.exit(f"another reply after the server was started again, {how.name}")
    print("the server started again: the services come back by themselves, the same reply")
    return triton


def main() -> None:
    before = set(Path("/dev/shm").iterdir())
    triton = start_triton()
    services = None
    try:
        wait("Triton has loaded the models", lambda: metric("lladav_llada_sessions") == 0)
        environment = os.environ | {"LLADAV_GATEWAY_FAILOVER_TIME": "40s"}
        services = subprocess.Popen([ROOT / "lladav", "serve", "--checkpoint", CHECKPOINT, "--engine", "triton",
                                     "--triton-target", f"127.0.0.1:{GRPC_PORT}"], cwd=ROOT, env=environment,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until_serving(services)
        undisturbed = generate(PREFIX)
        cancelled_client()
        killed_model(undisturbed)
        triton = stopped_server(triton, signal.SIGKILL, undisturbed)
        triton = stopped_server(triton, signal.SIGTERM, undisturbed)
    finally:
        if services is not None:
            os.killpg(services.pid, signal.SIGTERM)
            services.wait(60)
        os.killpg(triton.pid, signal.SIGTERM)
        try:
            triton.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(triton.pid, signal.SIGKILL)
        for left in set(Path("/dev/shm").iterdir()) - before:
            left.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
