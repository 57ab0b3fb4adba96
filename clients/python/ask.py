"""Asks a running gateway one question about one picture and prints the events of its reply.

    pip install -r requirements.txt
    python ask.py picture.png "What does the picture show?" [host:port]
"""

import pathlib
import sys

import grpc
from contract import decoding, dialogue, protos, services


def ask(target: str, picture: bytes, question: str, gen_length: int = 32):
    """Yields the events of the reply; the last one holds its text."""
    parts = [dialogue.Part(image=dialogue.Image(data=picture)), dialogue.Part(text=question)]
    request = protos.GenerateRequest(
        messages=[dialogue.Message(role=dialogue.ROLE_USER, parts=parts)],
        decoding=decoding.DecodingSettings(gen_length=gen_length),
    )
    with grpc.insecure_channel(target) as channel:
        yield from services.GenerationServiceStub(channel).Generate(request, timeout=300)


def main(picture: str, question: str, target: str = "localhost:7400") -> None:
    for event in ask(target, pathlib.Path(picture).read_bytes(), question):
        print(event)


if __name__ == "__main__":
    main(*sys.argv[1:])
