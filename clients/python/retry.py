"""Asks again when the server is overloaded, after the time it names; the key keeps it from answering twice.

    python retry.py "What is this?" [host:port]
"""

import sys
import time
import uuid

import grpc
from contract import question, services
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def retry_seconds(error: grpc.RpcError) -> float | None:
    """When to come back; None if asking again is of no use."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            return info.retry_delay.ToTimedelta().total_seconds()
    return None


def main(text: str, target: str = "localhost:7400") -> None:
    request = question(text, idempotency_key=str(uuid.uuid4()))
    with grpc.insecure_channel(target) as channel:
        while True:
            try:
                *_, last = services.GenerationServiceStub(channel).Generate(request)
                return print(last.finished.text)
            except grpc.RpcError as error:
                if (seconds := retry_seconds(error)) is None:
                    raise
                time.sleep(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
