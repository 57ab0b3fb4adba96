"""Shows a reply as text that only grows.

    python stream.py "Tell me a story." [host:port]
"""

import sys

import grpc
from contract import protos, question, services


def main(text: str, target: str = "localhost:7400") -> None:
    options = protos.StreamOptions(mode=protos.STREAM_MODE_BLOCK_APPEND)
    with grpc.insecure_channel(target) as channel:
        for event in services.GenerationServiceStub(channel).Generate(question(text, stream=options)):
            if event.HasField("appended"):
                print(event.appended.text, end="", flush=True)  # never taken back
            elif event.HasField("finished"):
                print(f"\n[{protos.FinishReason.Name(event.finished.finish_reason)}]")


if __name__ == "__main__":
    main(*sys.argv[1:])
