"""A plain sampler, so that steps follow each other as in a reply.

It belongs to the measurement. The models must never import it: the Python side of Triton never decides what is
committed, the gateway does (module `decoding`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from lladav_models.work import Floats, Ints

Rule = Callable[[Floats], Ints]
"""Given the confidences of all masked positions, ascending, returns which of them to commit, as indices into these.
Ties go to the lower position."""


def most_confident(count: int) -> Rule:
    """Commits `count` positions in each step."""

    def chosen(confidences: Floats) -> Ints:
        return _downward(confidences)[:count]

    return chosen


def factor(f: float) -> Rule:
    """Commits the n most confident as long as c_n >= 1 - f / (n + 1) (Fast-dLLM, arXiv 2505.22618), and always the
    first. As in the public code, a last masked position that would be the first to fail is committed too."""

    def chosen(confidences: Floats) -> Ints:
        order = _downward(confidences)
        behind_first = np.arange(2, len(order) + 1)
        failed = np.flatnonzero(confidences[order][1:] < 1 - f / (behind_first + 1))
        count = len(order) if len(failed) == 0 else int(failed[0]) + 1
        return order if count == len(order) - 1 else order[:count]

    return chosen


def _downward(confidences: Floats) -> Ints:
    return np.argsort(-confidences, kind="stable").astype(np.int32)


class Unmasking:
    """One reply: which of its canvas positions are `masked`, ascending, and what was committed last."""

    def __init__(self, start: int, end: int, rule: Rule) -> None:
        """Every position of `start..end-1` holds the mask."""
        self.masked = np.arange(start, end, dtype=np.int32)
        self.written = (np.empty(0, np.int32), np.empty(0, np.int32))
        self._rule = rule

    def commit(self, candidates: Ints, confidences: Floats) -> int:
        """Takes the candidates of all masked positions and returns how many were committed."""
        chosen = self._rule(confidences)
        self.written = (self.masked[chosen], candidates[chosen])
        self.masked = np.delete(self.masked, chosen)
        return len(chosen)
