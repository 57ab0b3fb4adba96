"""Starts a cluster and runs every example in clients/ against it. Needs Go, npm and the packages of clients/python."""

import os
import pathlib
import subprocess
import sys
import threading

from check_cluster import CHECKPOINT, PICTURE, ROOT, TARGET, ask, service_processes, wait_until_serving

CLIENTS = ROOT / "clients"
SECONDS_MAX = 120
DIALOGUE = "My name is Ada.\nWhat is my name?\n"
# By example: its arguments, and what its output holds.
EXAMPLES = {
    "ask": ([str(PICTURE), "What does the picture show?"], ""),
    "chat": ([], "\n2: "),
    "stream": (["Tell me a story."], ""),
    "cancel": (["Tell me a story."], "cancel"),
    "deadline": (["Tell me a story.", "0.3"], "deadline"),
    "retry": (["What is this?"], ""),
}


def command(language: str, example: str, arguments: list[str]) -> list[str]:
    if language == "python":
        return [sys.executable, f"{example}.py", *arguments]
    if language == "node":
        return ["npx", "tsx", f"{example}.ts", *arguments]
    if example == "deadline":
        arguments = [arguments[0], "300ms" if language == "go" else "300"]
    if language == "go":
        return ["go", "run", f"./{example}", *arguments]
    return ["./run", example.capitalize(), *arguments]


def keep_busy(steps_to_tell: threading.Event) -> None:
    """Takes the cluster's only place for a while."""
    for event in ask.ask(TARGET, PICTURE.read_bytes(), "What does the picture show?", gen_length=512):
        if event.WhichOneof("event") == "step":
            steps_to_tell.set()


def run(language: str, example: str, environment: dict[str, str]) -> None:
    arguments, expected = EXAMPLES[example]
    busy = None
    if example == "retry":
        running = threading.Event()
        busy = threading.Thread(target=keep_busy, args=[running])
        busy.start()
        running.wait(SECONDS_MAX)
    done = subprocess.run(command(language, example, arguments), cwd=CLIENTS / language, env=environment,
                          input=DIALOGUE if example == "chat" else "", capture_output=True, text=True, timeout=SECONDS_MAX)
    if busy:
        busy.join()
    if done.returncode != 0 or expected not in done.stdout.lower() or not done.stdout.strip():
        sys.exit(f"{language}/{example}: exit {done.returncode}, {done.stdout!r} (expected: {expected!r})\n{done.stderr}")
    print(f"{language}/{example}: ok")


def main() -> None:
    settings = {
        "LLADAV_GATEWAY_LIMITS_CONCURRENT_GENERATIONS_MAX": "1",
        # Who finds the place taken is refused, and retries, instead of waiting.
        "LLADAV_GATEWAY_LIMITS_WAITING_GENERATIONS_MAX": "0",
    }
    cluster = subprocess.Popen([ROOT / "lladav", "serve", "--checkpoint", CHECKPOINT], cwd=ROOT, env=os.environ | settings)
    try:
        wait_until_serving(cluster)
        java = pathlib.Path(os.readlink(f"/proc/{next(iter(service_processes(cluster)))}/exe"))
        environment = os.environ | {"JAVA_HOME": str(java.parents[1])}
        for language in ("python", "node", "go", "java"):
            for example in EXAMPLES:
                run(language, example, environment)
    finally:
        cluster.terminate()
        cluster.wait(60)


if __name__ == "__main__":
    main()
