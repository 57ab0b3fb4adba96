"""The residual stream at the asked positions to candidates and what is known of them. Logits never leave the device,
and not more than `ROWS_PER_RUN` rows of them are held at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .llada import Llada, Track
from .work import Certainty, Step, StepResult

ROWS_PER_RUN = 256
# Columns that are widened at a time, where the device cannot multiply narrow numbers into 32-bit floats.
_WIDENED_COLUMNS = 8192
_SCALE = 2.0**40
# Below it, exp(x) * 2^40 is below 1: 40 ln 2 = 27.73.
_EXPONENT_LEAST = -28.0


@dataclass(frozen=True)
class HeadStep:
    """A step whose layers have run. `tracks`: its sequence, and with guidance that of the canvas without prompt."""

    step: Step
    tracks: Sequence[Track]


@dataclass(frozen=True)
class _Asked:
    """One asked position: where its rows lie, and how its candidate is chosen."""

    head_step: HeadStep
    index: int

    def row(self, sequence: int) -> int:
        return self.head_step.tracks[sequence].packed_row(int(self.head_step.step.positions[self.index]))


class Head:
    """The final norm, the matrix to logits, guidance, bias, suppression and the choice."""

    def __init__(self, model: Llada, suppressed: Sequence[int]) -> None:
        """`suppressed`: ids that are never a candidate."""
        self._model = model
        self._suppressed = torch.tensor(suppressed, device=model.device)

    def choose(self, residual: Tensor, steps: Sequence[HeadStep]) -> list[StepResult]:
        """Returns one result per step. `residual`: of all their tracks."""
        asked = [_Asked(step, i) for step in steps for i in range(len(step.step.positions))]
        chosen: list[tuple[Tensor, Tensor, Tensor]] = []
        for start in range(0, len(asked), ROWS_PER_RUN):
            run = asked[start : start + ROWS_PER_RUN]
            chosen.append(self._choose(self.logits(residual, run), run))
        candidates, confidences, certainties = (torch.cat(part).cpu().numpy() for part in zip(*chosen))
        ends = np.cumsum([len(step.step.positions) for step in steps])[:-1]
        return [
            StepResult(*each)
            for each in zip(np.split(candidates, ends), np.split(confidences, ends), np.split(certainties, ends))
        ]

    def asked(self, step: HeadStep) -> list[_Asked]:
        """Returns the asked positions of a step, for `logits`."""
        return [_Asked(step, i) for i in range(len(step.step.positions))]

    def logits(self, residual: Tensor, asked: Sequence[_Asked]) -> Tensor:
        """Returns logits after guidance, bias and suppression, `(asked, V)` 32-bit floats."""
        guided = [i for i, each in enumerate(asked) if len(each.head_step.tracks) == 2]
        rows = [each.row(0) for each in asked] + [asked[i].row(1) for i in guided]
        logits = self.plain_logits(residual[self._to_device(rows)])
        own = logits[: len(asked)]
        if guided:
            scales = [np.float32(asked[i].head_step.step.guidance + 1) for i in guided]
            at, scale = self._to_device(guided), torch.tensor(scales, device=own.device).unsqueeze(1)
            unconditional = logits[len(asked) :]
            own[at] = unconditional + scale * (own[at] - unconditional)
        self._bias(own, asked)
        own[:, self._suppressed] = float("-inf")
        return own

    def plain_logits(self, rows: Tensor) -> Tensor:
        """Returns `(rows, V)` 32-bit floats of rows of the residual stream."""
        normed = self._model.norm(rows, self._model.final_norm)
        head = self._model.head
        if head.dtype == torch.float32:
            return F.linear(normed, head)
        # Logits of 8 or 11 bits would tie.
        if head.device.type == "cuda":
            return torch.mm(normed, head.t(), out_dtype=torch.float32)
        return torch.cat([F.linear(normed.float(), part.float()) for part in torch.split(head, _WIDENED_COLUMNS)], -1)

    def _bias(self, logits: Tensor, asked: Sequence[_Asked]) -> None:
        rows, ids, values = [], [], []
        for row, each in enumerate(asked):
            canvas = each.head_step.tracks[0].canvas
            if len(canvas.bias_ids):
                rows.append(torch.full_like(canvas.bias_ids, row))
                ids.append(canvas.bias_ids)
                values.append(canvas.bias_values)
        if rows:
            at = (torch.cat(rows).to(logits.device), torch.cat(ids).to(logits.device))
            logits[at] += torch.cat(values).to(logits.device)

    def _choose(self, logits: Tensor, asked: Sequence[_Asked]) -> tuple[Tensor, Tensor, Tensor]:
        candidates = logits.argmax(-1)
        drawn = [i for i, each in enumerate(asked) if each.head_step.step.temperature > 0]
        if drawn:
            at = self._to_device(drawn)
            temperatures = [asked[i].head_step.step.temperature for i in drawn]
            uniforms = [float(asked[i].head_step.step.uniforms[asked[i].index]) for i in drawn]
            candidates[at] = draw(logits[at], temperatures, uniforms)
        # In 64 bits: 32 would lose the small probabilities of 100000 ids, and ties decide what is committed.
        wide = logits.double()
        log_total = wide.logsumexp(-1, keepdim=True)
        confidences = (wide.gather(-1, candidates.unsqueeze(-1)) - log_total).exp().squeeze(-1)
        certainties = self._certainties(wide, log_total, confidences, asked)
        return candidates.int(), confidences.float(), certainties.float()

    def _certainties(self, wide: Tensor, log_total: Tensor, confidences: Tensor, asked: Sequence[_Asked]) -> Tensor:
        certainties = confidences
        wanted = {each.head_step.step.certainty for each in asked} - {Certainty.CONFIDENCE}
        for kind in sorted(wanted):
            rows = self._to_device([i for i, each in enumerate(asked) if each.head_step.step.certainty is kind])
            log_p = wide[rows] - log_total[rows]
            p = log_p.exp()
            if kind is Certainty.MARGIN:
                two = p.topk(2, -1).values
                value = two[:, 0] - two[:, 1]
            else:
                value = (p * log_p.clamp_min(-1e300)).sum(-1)
            certainties = certainties.index_copy(0, rows, value)
        return certainties

    def _to_device(self, numbers: Sequence[int]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64).to(self._model.device)


def draw(logits: Tensor, temperatures: Sequence[float], uniforms: Sequence[float]) -> Tensor:
    """Draws from softmax(logits / T) with integer weights, so that the result does not depend on the order of
    summation: w = floor(exp((l - max) / T) * 2^40), and the candidate is the smallest id whose running total exceeds
    floor(uniform * total). Returns one id per row of `logits` `(rows, V)`; V below 2^22, so that totals fit 63 bits."""
    temperature = torch.tensor(temperatures, dtype=torch.float64, device=logits.device).unsqueeze(1)
    wide = logits.double()
    exponents = (wide - wide.amax(-1, keepdim=True)) / temperature
    weights = torch.where(exponents < _EXPONENT_LEAST, 0.0, exponents.exp() * _SCALE).nan_to_num(0.0).long()
    running = weights.cumsum(-1)
    totals = running[:, -1].tolist()
    targets = [int(Fraction(uniform) * total) for uniform, total in zip(uniforms, totals)]
    target = torch.tensor(targets, dtype=torch.int64).to(logits.device).unsqueeze(1)
    found = torch.searchsorted(running, target, right=True).squeeze(1)
    # Past the end only where no id has any weight: then the confidence is no number either.
    return found.clamp_max(logits.shape[-1] - 1)
