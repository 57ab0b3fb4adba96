"""Fails as told: MODE "exception" raises, "die" kills the process, "none" answers, others are codes of TritonError."""

import os

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [answer(request) for request in requests]


def answer(request):
    tensor = pb_utils.get_input_tensor_by_name(request, "MODE")
    mode = tensor.as_numpy()[0].decode()
    if mode == "exception":
        raise ValueError("a detail of the model's own")
    if mode == "die":
        os._exit(1)
    if mode == "none":
        return pb_utils.InferenceResponse([pb_utils.Tensor("MODE", tensor.as_numpy())])
    error = pb_utils.TritonError(f"refused with {mode}", getattr(pb_utils.TritonError, mode))
    return pb_utils.InferenceResponse(error=error)
