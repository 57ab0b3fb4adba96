"""Holds a request until the test releases it or its client has gone.

Signals are empty files in the directory LLADAV_TEST_SIGNALS: ID.arrived and ID.cancelled are written here, ID.go by the
test.
"""

import os
import pathlib
import time

import triton_python_backend_utils as pb_utils

POLL_SECONDS = 0.005


class TritonPythonModel:
    def initialize(self, args):
        self.signals = pathlib.Path(os.environ["LLADAV_TEST_SIGNALS"])

    def execute(self, requests):
        return [self.hold(request) for request in requests]

    def hold(self, request):
        name = request.request_id()
        (self.signals / f"{name}.arrived").touch()
        while not (self.signals / f"{name}.go").exists():
            if request.is_cancelled():
                (self.signals / f"{name}.cancelled").touch()
                return pb_utils.InferenceResponse(
                    error=pb_utils.TritonError("the client has gone", pb_utils.TritonError.CANCELLED))
            time.sleep(POLL_SECONDS)
        value = pb_utils.get_input_tensor_by_name(request, "VALUE").as_numpy()
        return pb_utils.InferenceResponse([pb_utils.Tensor("VALUE", value)])
