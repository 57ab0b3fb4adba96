"""Answers the sum of each request's VALUES, and how many requests came together."""

import numpy
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        count = numpy.array([[len(requests)]], numpy.int32)
        return [answer(request, count) for request in requests]


def answer(request, count):
    values = pb_utils.get_input_tensor_by_name(request, "VALUES").as_numpy()
    total = numpy.array([[values.sum()]], numpy.int64)
    return pb_utils.InferenceResponse([pb_utils.Tensor("SUM", total), pb_utils.Tensor("REQUESTS", count)])
