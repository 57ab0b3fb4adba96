"""Answers a request COUNT times: INDEX 0, 1, ... Each request has a thread, so several interleave.

MODE "apart" sends the final flag in a message of its own, "hold" waits after the first answer until the test releases it
or the client has gone (signals as in the model hold), "fail" ends with an error, "die" kills the process.
"""

import os
import pathlib
import threading
import time

import numpy
import triton_python_backend_utils as pb_utils

POLL_SECONDS = 0.005
FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    def initialize(self, args):
        self.signals = pathlib.Path(os.environ["LLADAV_TEST_SIGNALS"])

    def execute(self, requests):
        for request in requests:
            count = int(pb_utils.get_input_tensor_by_name(request, "COUNT").as_numpy()[0])
            mode = pb_utils.get_input_tensor_by_name(request, "MODE")
            mode = mode.as_numpy()[0].decode() if mode is not None else ""
            threading.Thread(target=self.answer, args=(request.get_response_sender(), request.request_id(), count, mode),
                             daemon=True).start()

    def answer(self, sender, name, count, mode):
        for index in range(count):
            is_last = index == count - 1 and mode not in ("apart", "fail")
            sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("INDEX", numpy.array([index], numpy.int32))]),
                        flags=FINAL if is_last else 0)
            if mode == "hold" and index == 0 and not self.held(sender, name):
                sender.send(flags=FINAL)
                return
            if mode == "die":
                os._exit(1)
        if mode == "apart" or (mode == "" and count == 0):
            sender.send(flags=FINAL)
        elif mode == "fail":
            error = pb_utils.TritonError("OVERLOADED: sessions: 3 (expected: at most 2)", pb_utils.TritonError.UNAVAILABLE)
            sender.send(pb_utils.InferenceResponse(error=error), flags=FINAL)

    def held(self, sender, name):
        (self.signals / f"{name}.arrived").touch()
        while not (self.signals / f"{name}.go").exists():
            if sender.is_cancelled():
                (self.signals / f"{name}.cancelled").touch()
                return False
            time.sleep(POLL_SECONDS)
        return True
