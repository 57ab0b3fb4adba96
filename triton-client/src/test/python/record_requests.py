"""Writes the requests that NVIDIA's client makes, as serialised ModelInferRequest messages, one file each.

The Java test builds the same requests. Map entries are sorted by key, as the wire format leaves their order open.
"""

import pathlib
import sys

import numpy
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc._utils import _get_inference_request


def tensor(name, datatype, values):
    given = InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values)
    return given


def shared(name, datatype, shape, region, byte_size, offset):
    given = InferInput(name, shape, datatype)
    given.set_shared_memory(region, byte_size, offset)
    return given


def shared_output(name, region, byte_size, offset):
    output = InferRequestedOutput(name)
    output.set_shared_memory(region, byte_size, offset)
    return output


def request(inputs, version="", name="", outputs=None, sequence=0, start=False, end=False, priority=0, timeout=None,
            parameters=None):
    return _get_inference_request("model", inputs, version, name, outputs, sequence, start, end, priority, timeout,
                                  parameters)


def strings(*values):
    return numpy.array(values, dtype=numpy.object_)


REQUESTS = {
    "bool": request([tensor("T", "BOOL", numpy.array([[True], [False], [True]]))]),
    "int8": request([tensor("T", "INT8", numpy.array([-128, 0, 127], numpy.int8))]),
    "int16": request([tensor("T", "INT16", numpy.array([-32768, 1, 32767], numpy.int16))]),
    "int32": request([tensor("T", "INT32", numpy.array([[-2147483648, 1], [2147483647, 4]], numpy.int32))]),
    "int64": request([tensor("T", "INT64", numpy.array([-9223372036854775808, 1], numpy.int64))]),
    "uint8": request([tensor("T", "UINT8", numpy.array([255, 0, 1], numpy.uint8))]),
    "uint16": request([tensor("T", "UINT16", numpy.array([65535, 0, 1], numpy.uint16))]),
    "uint32": request([tensor("T", "UINT32", numpy.array([4294967295, 0, 1], numpy.uint32))]),
    "uint64": request([tensor("T", "UINT64", numpy.array([18446744073709551615, 0], numpy.uint64))]),
    "fp16": request([tensor("T", "FP16", numpy.array([-65504, 0.1, numpy.inf], numpy.float16))]),
    # Numbers that bfloat16 has: NVIDIA's client cuts others off, where ours rounds.
    "bf16": request([tensor("T", "BF16", numpy.array([-1.5, 3.0, 0.0078125], numpy.float32))]),
    "fp32": request([tensor("T", "FP32", numpy.array([[-0.0, 1e-45, 3.25]], numpy.float32))]),
    "fp64": request([tensor("T", "FP64", numpy.array([3.141592653589793, -1e308], numpy.float64))]),
    "bytes": request([tensor("T", "BYTES", strings("", "grün", b"\x00\xff", "x" * 300))]),
    "empty": request([tensor("T", "FP32", numpy.zeros((0, 4), numpy.float32))]),
    "several": request(
        [tensor("A", "INT32", numpy.array([1], numpy.int32)), tensor("B", "BYTES", strings("b")),
         tensor("C", "FP32", numpy.array([1.5], numpy.float32))],
        version="3", name="request-1", outputs=[InferRequestedOutput("Y"), InferRequestedOutput("X")]),
    "shared-memory": request(
        [tensor("A", "INT32", numpy.array([1], numpy.int32)), shared("B", "FP32", [2, 2], "lladav-test-recorded", 16, 0),
         shared("C", "INT64", [2], "lladav-test-recorded", 16, 64), tensor("D", "INT8", numpy.array([9], numpy.int8))],
        outputs=[shared_output("Y", "lladav-test-recorded", 128, 0),
                 shared_output("X", "lladav-test-recorded", 256, 1024)]),
    "parameters": request(
        [tensor("T", "INT32", numpy.array([1], numpy.int32))], sequence=42, start=True, end=False, priority=2,
        timeout=5000, parameters={"text": "t", "flag": True, "number": -7, "real": 0.5}),
    "text-sequence": request([tensor("T", "INT32", numpy.array([1], numpy.int32))], sequence="dialogue", end=True),
}

if __name__ == "__main__":
    directory = pathlib.Path(sys.argv[1])
    for case, message in REQUESTS.items():
        (directory / f"{case}.bin").write_bytes(message.SerializeToString(deterministic=True))
