"""AdamW as the recipe and tuning run it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_LONGEST_GRADIENT = 1.0
"""Norm to which the gradient of all parameters together is cut."""


def optimizer_of(groups: Sequence[tuple[Sequence[nn.Parameter], float]], rate: float) -> torch.optim.Optimizer:
    """An optimizer of (parameters, share of `rate` at which they learn); each group keeps its `share`."""
    return torch.optim.AdamW(
        [{"params": list(params), "share": share, "lr": rate * share} for params, share in groups],
        lr=rate, betas=(0.9, 0.98), weight_decay=0.02, fused=True,
    )  # fmt: skip


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    """One step down the gradient of a scalar loss; gives the loss."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], _LONGEST_GRADIENT)
    optimizer.step()
    return float(loss.detach())
