"""Starts a cluster by `./lladav serve`, asks it about a picture through the Python client, prints the events, and checks
that no process grows over 100 further generations."""

import pathlib
import subprocess
import sys
import time

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "clients" / "python"))
import ask  # noqa: E402

TARGET = "localhost:7400"
CHECKPOINT = ROOT / "conformance" / "checkpoints" / "tiny-b"
PICTURE = ROOT / "conformance" / "images" / "shapes-100x90.png"
START_SECONDS = 120
WARM_UP = 300
GENERATIONS = 100
# What one process may gain: the JVM's own tables and the C library's arenas still settle a little.
GROWTH_KIB_MAX = 24 * 1024
# A heap that is committed late looks like growth once; a leak grows in every round.
ROUNDS = 4


def wait_until_serving(cluster: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if cluster.poll() is not None:
            sys.exit(f"./lladav serve ended with {cluster.returncode}")
        try:
            with grpc.insecure_channel(TARGET) as channel:
                ask.services.GenerationServiceStub(channel).GetModel(ask.protos.GetModelRequest(), timeout=2)
            return
        except grpc.RpcError:
            time.sleep(0.5)
    sys.exit(f"the gateway did not answer within {START_SECONDS} s")


def service_processes(cluster: subprocess.Popen) -> dict[int, str]:
    """The four services among the launcher's descendants, by process id."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    descendants = {cluster.pid}
    for _ in range(4):
        descendants |= {int(pid) for pid, parent, _ in rows if int(parent) in descendants}
    services = {"vision", "projector", "denoiser", "gateway"}
    return {
        int(pid): service
        for pid, _, args in rows
        for service in services
        if int(pid) in descendants and args.endswith(f"ChildMain {service}")
    }


def resident_kib(pid: int) -> int:
    """Resident memory after a full collection."""
    subprocess.run(["jcmd", str(pid), "GC.run"], stdout=subprocess.DEVNULL, check=True)
    time.sleep(0.2)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def generate(count: int) -> None:
    for _ in range(count):
        last = list(ask.ask(TARGET, PICTURE.read_bytes(), "What does the picture show?", gen_length=8))[-1]
        assert last.WhichOneof("event") == "finished", last


def grown_over_generations(processes: dict[int, str]) -> list[str]:
    before = {pid: resident_kib(pid) for pid in processes}
    generate(GENERATIONS)
    after = {pid: resident_kib(pid) for pid in processes}
    for pid, service in processes.items():
        print(f"{service}: {before[pid]} KiB before, {after[pid]} KiB after {GENERATIONS} generations")
    return [processes[pid] for pid in processes if after[pid] - before[pid] > GROWTH_KIB_MAX]


def main() -> None:
    cluster = subprocess.Popen([ROOT / "lladav", "serve", "--checkpoint", CHECKPOINT], cwd=ROOT)
    try:
        wait_until_serving(cluster)
        for event in ask.ask(TARGET, PICTURE.read_bytes(), "What does the picture show?", gen_length=8):
            print(event)
        generate(WARM_UP)
        processes = service_processes(cluster)
        assert len(processes) == 4, processes
        for round_number in range(1, ROUNDS + 1):
            grown = grown_over_generations(processes)
            if not grown:
                print(f"memory: flat over {GENERATIONS} generations, in round {round_number} of at most {ROUNDS}")
                return
            print(f"memory: {', '.join(grown)} grew by more than {GROWTH_KIB_MAX} KiB in round {round_number}")
        sys.exit(f"memory grows: in each of {ROUNDS} rounds of {GENERATIONS} generations")
    finally:
        cluster.terminate()
        cluster.wait(60)


if __name__ == "__main__":
    main()
