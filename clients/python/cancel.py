"""Stops a reply after three steps; the server stops within one more.

    python cancel.py "Tell me a story." [host:port]
"""

import sys

import grpc
from contract import question, services


def main(text: str, target: str = "localhost:7400") -> None:
    with grpc.insecure_channel(target) as channel:
        call = services.GenerationServiceStub(channel).Generate(question(text, gen_length=256))
        try:
            for event in call:
                if event.HasField("step") and event.step.number == 3:
                    call.cancel()
        except grpc.RpcError as error:
            print("ended with", error.code().name)


if __name__ == "__main__":
    main(*sys.argv[1:])
