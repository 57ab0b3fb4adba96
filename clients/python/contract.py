"""The published contract, compiled when it is imported."""

import pathlib
import sys

import grpc
import grpc_tools

PROTOS = pathlib.Path(__file__).resolve().parents[2] / "proto" / "src" / "main" / "proto"
sys.path[:0] = [str(PROTOS), str(pathlib.Path(grpc_tools.__file__).parent / "_proto")]
protos, services = grpc.protos_and_services("lladav/v1/generation_service.proto")
conversations, conversation_services = grpc.protos_and_services("lladav/v1/conversation_service.proto")
dialogue = grpc.protos("lladav/v1/dialogue.proto")
decoding = grpc.protos("lladav/v1/decoding.proto")


def question(text: str, gen_length: int = 32, **request) -> "protos.GenerateRequest":
    """One question of a user."""
    message = dialogue.Message(role=dialogue.ROLE_USER, parts=[dialogue.Part(text=text)])
    return protos.GenerateRequest(
        messages=[message], decoding=decoding.DecodingSettings(gen_length=gen_length), **request)
