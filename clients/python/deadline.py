"""Waits so long for a reply and no longer; what was committed until then is final.

    python deadline.py "Tell me a story." 0.3 [host:port]
"""

import sys

import grpc
from contract import question, services


def main(text: str, seconds: str, target: str = "localhost:7400") -> None:
    committed = {}
    with grpc.insecure_channel(target) as channel:
        try:
            call = services.GenerationServiceStub(channel).Generate(question(text, gen_length=256), timeout=float(seconds))
            for event in call:
                committed |= {token.position: token.text for token in event.step.committed}
        except grpc.RpcError as error:
            print("ended with", error.code().name)
    print(len(committed), "tokens:", "".join(committed[position] for position in sorted(committed)))


if __name__ == "__main__":
    main(*sys.argv[1:])
