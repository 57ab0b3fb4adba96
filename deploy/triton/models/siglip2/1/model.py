"""The vision tower as a Triton model: tiles of pixels to features. See deploy/triton/PROTOCOL.md."""

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
from lladav_models.siglip2 import Siglip2


class TritonPythonModel:
    """What the server calls."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the weights; fails in one sentence."""
        with loading():
            checkpoint, settings, self._tower = load(args, Siglip2)
        config = self._tower.config
        self._identity = identity(
            checkpoint, settings, imageSize=config.image_size, patches=config.patches, width=config.width
        )

    def execute(self, requests: list[Any]) -> list[Any]:
        """Encodes the tiles of all requests that want features in one run."""
        pixels = [pb_utils.get_input_tensor_by_name(request, "PIXELS").as_numpy() for request in requests]
        asking = [request for request in requests if wanted(request, "FEATURES")]
        asked = [given for request, given in zip(requests, pixels) if wanted(request, "FEATURES")]
        encoded = iter(answered(lambda: tiles.encode(self._tower, asked), asking))
        return [
            self._response(request, next(encoded) if wanted(request, "FEATURES") else None, len(given))
            for request, given in zip(requests, pixels)
        ]

    def _response(self, request: Any, features: Any, count: int) -> Any:
        if isinstance(features, Refusal):
            return refused(features)
        outputs = [] if features is None else [pb_utils.Tensor("FEATURES", features)]
        if wanted(request, "IDENTITY"):
            outputs.append(pb_utils.Tensor("IDENTITY", np.full((count, 1), self._identity.encode(), np.object_)))
        return pb_utils.InferenceResponse(outputs)
