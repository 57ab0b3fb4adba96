"""The language tower as a Triton model: sessions and steps over ModelStreamInfer. See deploy/triton/PROTOCOL.md."""

import logging
import os
import sys
from typing import Any

# The package lies beside the model repository, or where LLADAV_MODELS_PATH says.
sys.path.insert(
    0, os.environ.get("LLADAV_MODELS_PATH") or os.path.join(os.path.dirname(os.path.realpath(__file__)), *[".."] * 3)
)


from lladav_models import operations
from lladav_models.adapter import DecoupledReply, Gauges, load, loading
from lladav_models.denoiser import Denoiser
from lladav_models.errors import Code, Refusal
from lladav_models.identity import identity
from lladav_models.scheduler import Scheduler
from lladav_models.settings import Limits

_STOP_SECONDS = 8
_log = logging.getLogger("lladav.models")


class TritonPythonModel:
    """What the server calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the weights, runs one step and starts the scheduler; fails in one sentence."""
        with loading():
            checkpoint, settings, engine = load(args, Denoiser)
            engine.warm_up()
            limits = Limits.read(settings.device)
        described = identity(
            checkpoint,
            settings,
            hiddenSize=engine.hidden_size,
            vocabularySize=engine.vocabulary_size,
            layers=checkpoint.language.layers,
            sessionsMax=limits.sessions_max,
            bytesMax=limits.session_bytes_max,
            positionBytes=engine.position_bytes.described(),
        )
        self._scheduler = Scheduler(engine, limits, lambda: described, Gauges(args["model_name"]).show)
        self._scheduler.start()

    def execute(self, requests: list[Any]) -> None:
        """Hands operations to the scheduler, in the order in which they came."""
        for request in requests:
            reply = DecoupledReply(request.get_response_sender(), request.request_id())
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            try:
                self._scheduler.submit(operations.read(tensors), reply)
            except Refusal as refusal:
                reply.refuse(refusal)
            except Exception:
                _log.exception("request %s could not be read", reply.request)
                reply.refuse(Refusal(Code.INTERNAL, "the request could not be read; the model's log says why"))

    def finalize(self) -> None:
        """Ends all sessions."""
        self._scheduler.stop(_STOP_SECONDS)
