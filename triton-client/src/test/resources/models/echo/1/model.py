"""Answers every input IN_<type> as OUT_<type>, and the request's parameters as PARAMETERS where that is asked for."""

import numpy
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [answer(request) for request in requests]


def answer(request):
    outputs = [echo(tensor) for tensor in request.inputs()]
    if "PARAMETERS" in request.requested_output_names():
        outputs.append(pb_utils.Tensor("PARAMETERS", numpy.array([request.parameters()], dtype=object)))
    return pb_utils.InferenceResponse(outputs)


def echo(tensor):
    name = tensor.name().replace("IN_", "OUT_")
    if name == "OUT_BF16":
        # numpy has no such type.
        return pb_utils.Tensor.from_dlpack(name, tensor.to_dlpack())
    return pb_utils.Tensor(name, tensor.as_numpy())
