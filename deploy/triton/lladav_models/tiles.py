"""Requests of tiles put together for one run of a stateless network, and its results taken apart again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .errors import Refusal, invalid
from .projector import Projector
from .siglip2 import Siglip2
from .work import Floats


def encode(tower: Siglip2, requests: Sequence[Floats]) -> list[Floats | Refusal]:
    """Returns the features `(tiles, patches, width)` of each request's pixels `(tiles, 3, S, S)`."""
    size = tower.config.image_size
    return _together(tower.encode, "PIXELS", requests, (3, size, size))


def project(projector: Projector, requests: Sequence[Floats]) -> list[Floats | Refusal]:
    """Returns the embeddings `(tiles, rows, D)` of each request's features `(tiles, rows, width)`."""
    # Not -1: it says nothing of rows without numbers, and would fail the requests beside them.
    rows = [request.reshape(request.shape[0] * request.shape[1], request.shape[2]) for request in requests]
    embedded = _together(projector.project, "FEATURES", rows, (projector.input_width,))
    return [
        each if isinstance(each, Refusal) else each.reshape(*request.shape[:2], projector.output_width)
        for each, request in zip(embedded, requests)
    ]


def _together(
    network: Callable[[Tensor], Tensor], name: str, requests: Sequence[Floats], shape: tuple[int, ...]
) -> list[Floats | Refusal]:
    """Runs what has the right shape, without its first dimension; the others' refusals stand in their places."""
    fitting = [request for request in requests if request.shape[1:] == shape]
    results: list[Floats] = []
    if fitting:
        given = torch.from_numpy(np.concatenate(fitting))
        ends = np.cumsum([len(request) for request in fitting])[:-1]
        results = np.split(network(given).cpu().numpy(), ends)
    taken = iter(results)
    return [
        next(taken)
        if request.shape[1:] == shape
        else invalid(name, f"shape {list(request.shape[1:])}", f"{list(shape)}")
        for request in requests
    ]
