"""Trains a checkpoint further on your own pictures and conversations, by Eq. (1) and nothing else."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .conversations import BadRecord, Record, encoded, read_records
from .dialogues import Canvas, table_rows
from .images import PATCHES, Tiles, normalised
from .loss import mask_probability, masked_diffusion_loss, masked_positions
from .model import LladaV
from .optimizer import optimizer_of, update
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Tuning:
    """How to tune: `steps` updates of `batch` dialogues of at most `longest` positions, pictures included."""

    steps: int
    batch: int = 8
    rate: float = 2e-4
    longest: int = 1024
    seed: int = 1


class RefusedData(ValueError):
    """The data holds records that cannot be trained on; each has been reported."""


def load_records(file: Path, pictures: Path, vocabulary: Vocabulary, longest: int, skip: bool) -> list[Record]:
    """The records of a file that can be trained on. Every other one is reported on standard error with file and line,
    and skipped if asked; otherwise, and when none is left, RefusedData."""
    good, bad = [], 0
    for record in read_records(file, pictures):
        fault = record if isinstance(record, BadRecord) else _fault(record, vocabulary, longest)
        if fault is None:
            assert isinstance(record, Record)
            good.append(record)
        else:
            bad += 1
            print(f"{'skipped' if skip else 'refused'}: {fault}", file=sys.stderr)
    if bad and not skip:
        raise RefusedData(
            f"{file}: {bad} of {bad + len(good)} records cannot be trained on; mend them or pass --bad skip"
        )
    if not good:
        raise RefusedData(f"{file}: no record can be trained on")
    return good


def tune(model: LladaV, vocabulary: Vocabulary, records: Sequence[Record], tuning: Tuning) -> Iterator[float]:
    """Trains the model in place; gives the loss of each step. The vision tower learns at a fifth of the rate."""
    others = [p for n, p in model.named_parameters() if not n.startswith("vision.")]
    optimizer = optimizer_of([(others, 1.0), (list(model.vision.parameters()), 0.2)], tuning.rate)
    for step in range(tuning.steps):
        rng = random.Random(f"{tuning.seed}/{step}")
        drawn = [rng.choice(records) for _ in range(tuning.batch)]
        loss = _loss(model, vocabulary, [encoded(r, vocabulary, tuning.longest) for r in drawn], rng)
        yield update(optimizer, loss)


def _fault(record: Record, vocabulary: Vocabulary, longest: int) -> BadRecord | None:
    try:
        encoded(record, vocabulary, longest)
    except BadRecord as fault:
        return fault
    return None


def _loss(
    model: LladaV, vocabulary: Vocabulary, dialogues: list[tuple[Canvas, Tiles | None]], rng: random.Random
) -> Tensor:
    length = max(len(canvas) for canvas, _ in dialogues)
    pixels = [tiles.pixels for _, tiles in dialogues if tiles is not None]
    newline = sum(len(tiles) for tiles in pixels) * PATCHES
    rows = torch.full((len(dialogues), length), -1)
    padding = torch.ones(len(dialogues), length, dtype=torch.bool)
    before = 0
    for b, (canvas, tiles) in enumerate(dialogues):
        padding[b, : len(canvas)] = False
        rows[b, : len(canvas)] = torch.tensor(table_rows(canvas.visual, newline, before))
        before += 0 if tiles is None else len(tiles.pixels) * PATCHES
        canvas.add([vocabulary.end_of_turn] * (length - len(canvas)))
    generator = torch.Generator().manual_seed(rng.getrandbits(60))
    ids = torch.tensor([canvas.ids for canvas, _ in dialogues])
    weights = torch.tensor([canvas.weights for canvas, _ in dialogues])
    p = mask_probability(torch.rand(len(dialogues), 1, generator=generator))
    masked = masked_positions(torch.rand(ids.shape, generator=generator), p, weights > 0)
    table = model.image_newline[None]
    if pixels:
        table = model.table_of(model.vision(torch.from_numpy(normalised(np.concatenate(pixels)))), False)
    logits = model(ids.masked_fill(masked, vocabulary.mask), rows, table, padding[:, None, None, :])
    return masked_diffusion_loss(logits, ids, masked, p, weights)
