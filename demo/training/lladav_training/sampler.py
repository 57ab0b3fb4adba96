"""The plain reverse process: every step runs the whole canvas, and commits the most confident candidates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .dialogues import Canvas
from .model import LladaV
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Reply:
    """The ids before the stop, and how many forwards they took. `closest` is the least difference of confidence by
    which a position was committed before another: below the noise of float32 sums, another machine may take the other
    one first, and go on to other ids."""

    ids: list[int]
    forwards: int
    closest: float


@torch.no_grad()
def reply(
    model: LladaV, vocabulary: Vocabulary, prompt: Canvas, rows: Tensor, table: Tensor, gen_length: int, steps: int
) -> Reply:
    """Decodes `gen_length` positions after the prompt in one block, at T = 0, with low-confidence remasking.

    `rows` (1, P) and `table` place the visual positions. Ties go to the lower position; only the end of turn can end
    the reply; softmax in float64.
    """
    length = len(prompt)
    ids = torch.tensor([prompt.ids + [vocabulary.mask] * gen_length])
    rows = torch.cat([rows, torch.full((1, gen_length), -1)], 1)
    never = [vocabulary.end, vocabulary.start, vocabulary.header_start, vocabulary.header_end]
    stop, forwards, closest = gen_length, 0, float("inf")
    for step in range(steps):
        masked = ids[0, length:] == vocabulary.mask
        masked[stop:] = False
        if not bool(masked.any()):
            break
        logits = model(ids, rows, table)[0, length:].double()
        forwards += 1
        logits[:, never] = float("-inf")
        confidences, candidates = torch.softmax(logits, -1).max(-1)
        confidences[~masked] = float("-inf")
        quota = gen_length // steps + (1 if step < gen_length % steps else 0)
        ranked, order = torch.sort(confidences, descending=True, stable=True)
        if quota < int(masked.sum()):
            closest = min(closest, float(ranked[quota - 1] - ranked[quota]))
        order = order[:quota]
        chosen = order[masked[order]]
        ids[0, length + chosen] = candidates[chosen]
        ends = (ids[0, length : length + stop] == vocabulary.end_of_turn).nonzero()
        if len(ends):
            stop = int(ends[0])
    return Reply(ids[0, length : length + stop].tolist(), forwards, closest)
