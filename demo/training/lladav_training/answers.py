"""Answers an evaluation folder with the training code's own forward and plain sampler: what a cluster
is held against."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .batches import clip_layout
from .dialogues import Canvas, add_question, opened, table_rows, with_pictures
from .images import PATCHES, Layout, layouts_of, normalised, single_tile, tiles_of
from .model import LladaV
from .sampler import Reply, reply
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class Answered:
    """One question's identity, the reply's ids and its text."""

    identity: str
    reply: Reply
    text: str


def answers(
    model: LladaV, vocabulary: Vocabulary, folder: Path, every: int = 1, among: Container[str] | None = None
) -> Iterator[Answered]:
    """Answers every n-th line of `folder/questions.jsonl`, of those `among` if given, exactly: as many steps as
    positions, in float32."""
    model.eval()
    lines = map(json.loads, (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines())
    for question in [line for line in lines if among is None or line["id"] in among][::every]:
        prompt, rows, table = _prompt(model, vocabulary, folder, question)
        length = question["gen_length"]
        found = reply(model, vocabulary, prompt, rows, table, length, length)
        yield Answered(question["id"], found, vocabulary.decode(found.ids))


def replies_of(results: Path) -> dict[str, list[int]]:
    """Ids by question of the results that `./lladav eval --results` kept; its first line holds the settings."""
    lines = results.read_text(encoding="utf-8").splitlines()[1:]
    return {entry["id"]: entry["ids"] for entry in map(json.loads, lines)}


@torch.no_grad()
def _prompt(
    model: LladaV, vocabulary: Vocabulary, folder: Path, question: dict[str, object]
) -> tuple[Canvas, Tensor, Tensor]:
    names = question.get("video") or question.get("images") or []
    assert isinstance(names, list)
    images = [Image.open(folder / name).convert("RGB") for name in names]
    clip = "video" in question
    layouts: list[Layout]
    if clip:
        tiles = [single_tile(image) for image in images]
        layouts = [clip_layout(len(tiles))]
    else:
        tiles = tiles_of(images)
        layouts = layouts_of(tiles)
    canvas = opened(vocabulary)
    shown = layouts
    earlier = question.get("earlier", [])
    assert isinstance(earlier, list)
    for turn in earlier:
        add_question(canvas, vocabulary, with_pictures(turn["question"], len(shown)), shown)
        canvas.add([*vocabulary.encode(turn["answer"]), vocabulary.end_of_turn])
        shown = []
    think = f" /{question['think']}" if "think" in question else ""
    add_question(canvas, vocabulary, with_pictures(f"{question['question']}{think}", len(shown)), shown)
    if not tiles:
        return canvas, torch.full((1, len(canvas)), -1), torch.zeros(1, model.size.language.width)
    pixels = np.concatenate([tile.pixels for tile in tiles])
    table = model.table_of(model.vision(torch.from_numpy(normalised(pixels))), clip)
    newline = len(pixels) * PATCHES
    return canvas, torch.tensor([table_rows(canvas.visual, newline, newline + 1 if clip else 0)]), table
