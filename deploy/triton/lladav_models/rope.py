"""Rotary positions in the half-split layout (arXiv 2104.09864, as in LLaMA)."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import LanguageConfig


def rope_table(config: LanguageConfig, length: int) -> tuple[Tensor, Tensor]:
    """Returns cosines and sines of positions `0..length-1`, each `(length, head_size / 2)` 32-bit floats on the CPU.

    Angles are rounded to 32-bit floats step by step as the public code does: at large positions that rounding is
    visible in the result.
    """
    size = config.head_size
    exponents = torch.arange(0, size, 2, dtype=torch.float32) / size
    frequencies = 1.0 / (_base(config, length) ** exponents)
    positions = torch.arange(length, dtype=torch.float32)
    if config.rope_scaling.type == "linear":
        positions = positions / config.rope_scaling.factor
    angles = torch.outer(positions, frequencies)
    return angles.cos(), angles.sin()


def _base(config: LanguageConfig, length: int) -> Tensor:
    theta = torch.tensor(config.rope_theta, dtype=torch.float32)
    if config.rope_scaling.type != "dynamic" or length <= config.positions_max:
        return theta
    # "NTK-aware" scaling, as LlamaDynamicNTKScalingRotaryEmbedding of transformers computes it.
    factor = config.rope_scaling.factor
    growth = factor * torch.tensor(length) / config.positions_max - (factor - 1)
    return theta * growth ** (config.head_size / (config.head_size - 2))


def rotate(heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotates `(rows, heads, S)` by each row's angles `(rows, S / 2)`, in 32-bit floats; keeps the type."""
    first, second = heads.float().chunk(2, -1)
    cos, sin = cosines.unsqueeze(1), sines.unsqueeze(1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1).to(heads.dtype)
