"""The training objective: Eq. (1) of the LLaDA-V paper."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST_PROBABILITY = 1e-3


def mask_probability(t: Tensor) -> Tensor:
    """p = (1 - 1e-3)·t + 1e-3: with which each labelled position of a dialogue at noise level t is masked."""
    return (1 - LEAST_PROBABILITY) * t + LEAST_PROBABILITY


def masked_diffusion_loss(logits: Tensor, ids: Tensor, masked: Tensor, p: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of the clean ids at masked positions, weighted 1/p, over the labelled positions' weight.

    `logits` (B, T, V); `ids` (B, T), clean; `masked` (B, T), true where the model saw the mask; `p` (B, 1) or (B, T);
    `weights` (B, T), 0 where nothing is labelled. With weights of 0 and 1 this is the published objective: the sum is
    divided by the number of labelled positions, not of masked ones.
    """
    entropy = F.cross_entropy(logits[masked].float(), ids[masked], reduction="none")
    scale = (weights / p.expand_as(weights))[masked]
    return (entropy * scale).sum() / weights.sum().clamp(min=1.0)


def masked_positions(uniforms: Tensor, p: Tensor, labelled: Tensor) -> Tensor:
    """(B, T), true where a position is labelled and its uniform number is below p; `p` is (B, 1) or (B, T)."""
    return torch.logical_and(uniforms < p, labelled)
