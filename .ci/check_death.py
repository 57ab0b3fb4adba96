"""Starts the four services one by one, kills the denoiser with SIGKILL in the middle of generations of every cache, starts
another, and checks that replies, confidences and the order of commits are those of undisturbed generations."""

import os
import signal
import subprocess
import sys
import time

import grpc
from check_cluster import CHECKPOINT, ROOT, TARGET, ask, wait_until_serving

GEN_LENGTH = 128
# No process of ours starts sooner: a generation that is finished before did not miss the one that was killed.
RESTART_SECONDS_MIN = 0.5
SETTINGS = {
    "no cache": {},
    "prefix": {"cache": ask.decoding.CACHE_PREFIX, "refresh_interval": 6},
    "dual": {"cache": ask.decoding.CACHE_DUAL, "refresh_interval": 6, "block_length": 8},
    "interval": {"cache": ask.decoding.CACHE_INTERVAL, "prompt_interval": 6, "gen_interval": 3, "transfer_ratio": 0.25},
    "prefix with guidance and temperature": {
        "cache": ask.decoding.CACHE_PREFIX, "refresh_interval": 16, "cfg_scale": 0.5, "temperature": 0.8, "seed": 7},
}


def start(service: str) -> subprocess.Popen:
    # A group of its own, so that the signal reaches the service whatever the launcher puts before it.
    environment = os.environ | {f"LLADAV_{service.upper()}_CHECKPOINT": str(CHECKPOINT)}
    return subprocess.Popen([ROOT / "lladav", "serve", service], cwd=ROOT, env=environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def kill(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def generate(settings: dict, at_step=lambda count: None) -> list[bytes]:
    """What a client sees of a generation: every step's tokens, then the reply's ids and text."""
    message = ask.dialogue.Message(role=ask.dialogue.ROLE_USER, parts=[ask.dialogue.Part(text="What do you see?")])
    request = ask.protos.GenerateRequest(messages=[message], decoding=ask.decoding.DecodingSettings(
        gen_length=GEN_LENGTH, steps=GEN_LENGTH, stop=ask.decoding.StopStrings(), **settings))
    seen = []
    with grpc.insecure_channel(TARGET) as channel:
        for event in ask.services.GenerationServiceStub(channel).Generate(request, timeout=120):
            kind = event.WhichOneof("event")
            if kind == "step":
                seen.append(event.step.SerializeToString(deterministic=True))
                at_step(len(seen))
            elif kind == "finished":
                seen.append(str((list(event.finished.token_ids), event.finished.text)).encode())
    assert len(seen) > GEN_LENGTH // 2, seen
    return seen


def main() -> None:
    services = {name: start(name) for name in ("vision", "projector", "denoiser", "gateway")}

    def replace_denoiser(count: int, at: int) -> None:
        if count == at:
            kill(services["denoiser"])
            services["denoiser"] = start("denoiser")

    try:
        wait_until_serving(services["gateway"])
        for at, (name, settings) in enumerate(SETTINGS.items(), start=3):
            undisturbed = generate(settings)
            begin = time.monotonic()
            disturbed = generate(settings, lambda count, at=at: replace_denoiser(count, at))
            if time.monotonic() - begin < RESTART_SECONDS_MIN:
                sys.exit(f"{name}: the reply was there before the denoiser was killed")
            if disturbed != undisturbed:
                sys.exit(f"{name}: another reply after the denoiser was killed at step {at}")
            print(f"{name}: the same {len(undisturbed) - 1} steps and reply, the denoiser killed at step {at}")
    finally:
        for process in services.values():
            os.killpg(process.pid, signal.SIGTERM)


if __name__ == "__main__":
    main()
