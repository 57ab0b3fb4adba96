"""What the three networks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .settings import Settings


@dataclass(frozen=True)
class Linear:
    """A matrix `(out, in)` in the precision, and a bias `(out)`. Takes and gives 32-bit floats or the precision."""

    weight: Tensor
    bias: Tensor | None

    @staticmethod
    def of(weight: Tensor, bias: Tensor | None, settings: Settings) -> Linear:
        """Brings stored weights to the device."""
        return Linear.stacked([weight], None if bias is None else [bias], settings)

    @staticmethod
    def stacked(weights: Sequence[Tensor], biases: Sequence[Tensor] | None, settings: Settings) -> Linear:
        """Brings matrices that take the same rows to the device as one, so that one product serves them all."""
        return Linear(_stack(weights, settings), None if biases is None else _stack(biases, settings))

    def rows(self, start: int, end: int) -> Linear:
        """Returns the part of the matrix that gives some of the columns, without a copy."""
        return Linear(self.weight[start:end], None if self.bias is None else self.bias[start:end])

    def __call__(self, rows: Tensor) -> Tensor:
        """Returns `(..., out)` in the precision."""
        return F.linear(rows.to(self.weight.dtype), self.weight, self.bias)


def layer_norm(rows: Tensor, weights: tuple[Tensor, Tensor], epsilon: float) -> Tensor:
    """LayerNorm of 32-bit floats."""
    return F.layer_norm(rows, rows.shape[-1:], *weights, epsilon)


def _stack(parts: Sequence[Tensor], settings: Settings) -> Tensor:
    # Straight to its place: nothing of a mapped file is held twice.
    height = sum(part.shape[0] for part in parts)
    stacked = torch.empty((height, *parts[0].shape[1:]), dtype=settings.dtype, device=settings.device)
    start = 0
    for part in parts:
        stacked[start : start + part.shape[0]].copy_(part)
        start += part.shape[0]
    return stacked
