"""The projector: vision features to rows of the language tower's width."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import Weights
from .layers import Linear
from .settings import Settings


class Projector:
    """Linear, GELU (exact), linear. How rows are merged is not decided here."""

    def __init__(self, checkpoint: Weights, settings: Settings) -> None:
        """Loads the weights. Fails with LoadError."""
        self.input_width = checkpoint.vision.width
        self.output_width = width = checkpoint.language.hidden_size
        self._device = settings.device

        def linear(layer: int, into: int) -> Linear:
            name = f"model.mm_projector.{layer}"
            weight = checkpoint.tensor(f"{name}.weight", width, into)
            return Linear.of(weight, checkpoint.tensor(f"{name}.bias", width), settings)

        self._into = linear(0, self.input_width)
        self._out = linear(2, width)
        self.image_newline = torch.empty(0)
        """The row separator, `(output_width)` 32-bit floats on the CPU; empty where the merge type has none."""
        if checkpoint.has_image_newline:
            self.image_newline = checkpoint.tensor("model.image_newline", width).float()

    def project(self, features: Tensor) -> Tensor:
        """Returns embeddings, `(rows, output_width)` 32-bit floats. `features`: `(rows, input_width)`."""
        return self._out(F.gelu(self._into(features.to(self._device)))).float()
