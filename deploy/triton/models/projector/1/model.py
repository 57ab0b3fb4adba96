"""The projector as a Triton model: features to embeddings. See deploy/triton/PROTOCOL.md."""

import os
import sys
from typing import Any

# The package lies beside the model repository, or where LLADAV_MODELS_PATH says.
sys.path.insert(
    0, os.environ.get("LLADAV_MODELS_PATH") or os.path.join(os.path.dirname(os.path.realpath(__file__)), *[".."] * 3)
)

import numpy as np
import triton_python_backend_utils as pb_utils

from lladav_models import tiles
from lladav_models.adapter import answered, load, loading, refused, wanted
from lladav_models.errors import Refusal
from lladav_models.identity import identity
from lladav_models.projector import Projector


class TritonPythonModel:
    """What the server calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the weights; fails in one sentence."""
        with loading():
            checkpoint, settings, self._projector = load(args, Projector)
        self._newline = self._projector.image_newline.numpy()
        self._identity = identity(
            checkpoint,
            settings,
            inputWidth=self._projector.input_width,
            outputWidth=self._projector.output_width,
        )

    def execute(self, requests: list[Any]) -> list[Any]:
        """Projects the rows of all requests that want embeddings in one run."""
        features = [pb_utils.get_input_tensor_by_name(request, "FEATURES").as_numpy() for request in requests]
        asking = [request for request in requests if wanted(request, "EMBEDDINGS")]
        asked = [given for request, given in zip(requests, features) if wanted(request, "EMBEDDINGS")]
        projected = iter(answered(lambda: tiles.project(self._projector, asked), asking))
        return [
            self._response(request, next(projected) if wanted(request, "EMBEDDINGS") else None, len(given))
            for request, given in zip(requests, features)
        ]

    def _response(self, request: Any, embeddings: Any, count: int) -> Any:
        if isinstance(embeddings, Refusal):
            return refused(embeddings)
        outputs = [] if embeddings is None else [pb_utils.Tensor("EMBEDDINGS", embeddings)]
        if wanted(request, "IMAGE_NEWLINE"):
            outputs.append(pb_utils.Tensor("IMAGE_NEWLINE", np.tile(self._newline, (count, 1))))
        if wanted(request, "IDENTITY"):
            outputs.append(pb_utils.Tensor("IDENTITY", np.full((count, 1), self._identity.encode(), np.object_)))
        return pb_utils.InferenceResponse(outputs)
