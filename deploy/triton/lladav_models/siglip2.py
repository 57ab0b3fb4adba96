"""The SigLIP 2 vision tower: tiles of pixels to one feature per patch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import Weights, vision_name
from .layers import Linear, layer_norm
from .settings import Settings


@dataclass(frozen=True)
class _Layer:
    norm1: tuple[Tensor, Tensor]
    qkv: Linear
    out: Linear
    norm2: tuple[Tensor, Tensor]
    fc1: Linear
    fc2: Linear


class Siglip2:
    """Patches, learned positions, and all encoder layers but the last, without the norm after them.

    The residual stream and the norms are 32-bit floats, matrices and attention in the precision of the settings.
    """

    def __init__(self, checkpoint: Weights, settings: Settings) -> None:
        """Loads the weights. Fails with LoadError."""
        self.config = checkpoint.vision
        self._settings = settings
        width, patch = self.config.width, self.config.patch_size
        embedding = vision_name("embeddings.patch_embedding")
        kernel = checkpoint.tensor(f"{embedding}.weight", width, 3, patch, patch)
        self._patches = Linear.of(kernel.reshape(width, -1), checkpoint.tensor(f"{embedding}.bias", width), settings)
        positions = checkpoint.tensor(vision_name("embeddings.position_embedding.weight"), self.config.patches, width)
        self._positions = positions.to(settings.device, torch.float32)
        self._layers = [self._load(checkpoint, i) for i in range(self.config.layers_run)]

    def encode(self, pixels: Tensor) -> Tensor:
        """Returns features, `(tiles, patches, width)` 32-bit floats.

        `pixels`: normalised to -1..1, `(tiles, 3, S, S)`.
        """
        x = self._patches(self._cut(pixels.to(self._settings.device, torch.float32))) + self._positions
        for layer in self._layers:
            x = x + layer.out(self._attention(layer, layer_norm(x, layer.norm1, self.config.norm_epsilon)))
            inner = layer.fc1(layer_norm(x, layer.norm2, self.config.norm_epsilon))
            x = x + layer.fc2(F.gelu(inner, approximate="tanh"))
        return x

    def _cut(self, pixels: Tensor) -> Tensor:
        """`(tiles, patches, 3 * patch * patch)`: a convolution whose stride is its size is a matrix product."""
        side, patch = self.config.patches_per_side, self.config.patch_size
        whole = pixels[:, :, : side * patch, : side * patch]
        cut = whole.reshape(-1, 3, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5)
        return cut.reshape(-1, side * side, 3 * patch * patch)

    def _attention(self, layer: _Layer, normed: Tensor) -> Tensor:
        tiles, patches, width = normed.shape
        heads = layer.qkv(normed).view(tiles, patches, 3, self.config.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(heads[0], heads[1], heads[2])
        return mixed.transpose(1, 2).reshape(tiles, patches, width)

    def _load(self, checkpoint: Weights, index: int) -> _Layer:
        width, inner = self.config.width, self.config.intermediate_size

        def name(part: str) -> str:
            return vision_name(f"encoder.layers.{index}.{part}")

        def norm(part: str) -> tuple[Tensor, Tensor]:
            weight, bias = (checkpoint.tensor(name(f"{part}.{kind}"), width) for kind in ("weight", "bias"))
            return weight.to(self._settings.device, torch.float32), bias.to(self._settings.device, torch.float32)

        def linear(out: int, into: int, *parts: str) -> Linear:
            weights = [checkpoint.tensor(name(f"{part}.weight"), out, into) for part in parts]
            biases = [checkpoint.tensor(name(f"{part}.bias"), out) for part in parts]
            return Linear.stacked(weights, biases, self._settings)

        return _Layer(
            norm("layer_norm1"),
            linear(width, width, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            linear(width, width, "self_attn.out_proj"),
            norm("layer_norm2"),
            linear(inner, width, "mlp.fc1"),
            linear(width, inner, "mlp.fc2"),
        )
