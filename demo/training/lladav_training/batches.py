"""Batches drawn from nothing but (seed, stage, number): the same on every machine, and free to resume anywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import scenes
from .attributes import OBJECTS_MAX
from .dialogues import Canvas, add_question, add_reply, opened, table_rows, with_pictures
from .drawing import Drawing, draw
from .images import NEWLINE, PATCHES, Tiles, layouts_of, normalised, single_tile, tiled
from .labels import PatchLabels, patch_labels
from .looking import HALF, Looking, looked_at, looks_of
from .loss import mask_probability, masked_positions
from .questions import Exchange, ask, kinds_of
from .scenes import BarsScene, ClipScene, PairScene, Scene, ShapesScene, SignScene
from .vocabulary import DEFAULT_SYSTEM, Vocabulary

FORMS = ("one", "anyres", "wide", "tall", "large", "pair", "clip")
"""How pictures enter a dialogue: one bare tile, or tiled into 1x1, 2x1, 1x2 and 2x2; two pictures; a clip."""
GRIDS = {"wide": (2, 1), "tall": (1, 2), "large": (2, 2)}
_VISUAL = {"one": 50, "anyres": 105, "wide": 155, "tall": 155, "large": 259, "pair": 100, "clip": 80}
"""Visual positions that a dialogue leaves room for; few pictures of the form have more."""
_SYSTEM, _TURN, _TAIL = 40, 32, 8
"""Positions of the system message, of a question with a short answer, of the ends after the last one."""
_SQUASHED, _UNNAMED = 0.2, 0.4
"""Of the dense aids' pictures, the share that is of several tiles; of their objects, that whose colour has no name."""
_TRIES = 40
_REPEATS = 2
"""How often one dialogue asks a kind of question that has the same answer."""


@dataclass(frozen=True)
class Mix:
    """What a stage asks about what. Shares need not add up to one."""

    forms: Mapping[str, float]
    sources: Mapping[str, float]
    """Shares of `shapes`, `bars` and `sign` among single pictures."""
    kinds: Mapping[str, float] = field(default_factory=dict)
    """Shares of question kinds; one that is missing has 1."""
    least: int = 0
    most: int = OBJECTS_MAX
    noise: str = "full"
    """Noise level: `full` (t = 1, an aid), `mixed`, or `uniform` (t drawn from 0 to 1: Eq. (1))."""
    end_weight: float = 0.2
    """Weight of ends after the first one; 1 is Eq. (1), less is an aid."""
    system: float = 0.5
    """Share of dialogues that open with the default system message."""
    turns: int = 2
    """Questions with short answers that a dialogue has room for; few, as what is served asks one at a time."""
    tail: float = 0.15
    """Share of dialogues that end early, so that a long tail of ends is seen."""


@dataclass
class Batch:
    """One training batch of B dialogues of T positions with N tiles in all.

    `tiles` (N, 3, S, S); `ids`, `visual`, `weights`, `masked` (B, T), `p` (B, 1); `clip` says that frames are pooled.
    """

    tiles: Tensor
    ids: Tensor
    visual: Tensor
    weights: Tensor
    masked: Tensor
    p: Tensor
    clip: bool
    turns: list[list[tuple[str, int, int]]]
    """Per dialogue: kind, and where its reply begins and ends (its end token included)."""
    looks: Tensor
    """(L, 4): dialogue, position, which of the layers that are told, and the head that ought to look ..."""
    looked_at: Tensor
    """(L, T): ... at one of these positions."""
    aid: TileBatch | None = None
    """Pictures for the dense aids, if the stage has any."""


def dialogue_batch(vocabulary: Vocabulary, mix: Mix, size: int, seed: str) -> Batch:
    """Draws a batch of dialogues; all have the same form, so that they have the same number of tiles."""
    rng = random.Random(seed)
    form = _chosen(rng, mix.forms)
    length = _VISUAL[form] + _SYSTEM + _TURN * mix.turns + _TAIL
    pictures: list[Picture] = []
    canvases: list[Canvas] = []
    turns: list[list[tuple[str, int, int]]] = []
    looks: list[tuple[int, int, int, int]] = []
    targets: list[NDArray[np.bool_]] = []
    for _ in range(size):
        scene = scenes.trained(lambda r: _scene(r, form, mix), rng)
        picture = _pictured(scene, form, rng)
        canvas, asked, looked = _dialogue(vocabulary, mix, scene, picture, length, rng)
        for position, layer, head, look in looked:
            there = looked_at(look, picture.labels, picture.frames, canvas)
            if there.any():
                looks.append((len(canvases), position, layer, head))
                targets.append(there)
        pictures.append(picture)
        canvases.append(canvas)
        turns.append(asked)
    generator = torch.Generator().manual_seed(rng.getrandbits(60))
    ids = torch.tensor([canvas.ids for canvas in canvases])
    weights = torch.tensor([canvas.weights for canvas in canvases])
    p = mask_probability(_noise(mix.noise, size, generator))[:, None]
    masked = masked_positions(torch.rand(ids.shape, generator=generator), p, weights > 0)
    tiles = np.concatenate([picture.pixels for picture in pictures])
    return Batch(
        tiles=torch.from_numpy(normalised(tiles)),
        ids=ids,
        visual=_table_rows(canvases, pictures, form == "clip"),
        weights=weights,
        masked=masked,
        p=p,
        clip=form == "clip",
        turns=turns,
        looks=torch.tensor(looks, dtype=torch.long).reshape(-1, 4),
        looked_at=torch.from_numpy(np.stack(targets)) if targets else torch.zeros(0, length, dtype=torch.bool),
    )


@dataclass(frozen=True)
class TileBatch:
    """Pictures of one tile each, labelled: `tiles` (N, 3, S, S), `classes` (N, 49, A), `outline` (N, 49, 16)."""

    tiles: Tensor
    classes: Tensor
    outline: Tensor


def tile_batch(sources: Mapping[str, float], size: int, seed: str) -> TileBatch:
    """Draws single pictures for the dense aids: as one tile, some squashed to it from a size of several tiles."""
    rng = random.Random(seed)
    drawings = [draw(_trained_picture(rng, sources), rng, unnamed=_UNNAMED) for _ in range(size)]
    labels = [patch_labels(drawing) for drawing in drawings]
    pixels = np.concatenate([tiled(drawing.image).pixels[:1] for drawing in drawings])
    return TileBatch(
        torch.from_numpy(normalised(pixels)),
        torch.from_numpy(np.stack([label.classes for label in labels]).astype(np.int64)),
        torch.from_numpy(np.stack([label.outline for label in labels])),
    )


@dataclass(frozen=True)
class Picture:
    """The tiles of one dialogue, a layout per picture, and the labels of its first tiles."""

    pixels: NDArray[np.uint8]
    layouts: list[tuple[int, ...]]
    labels: list[PatchLabels]
    frames: bool = False
    """Whether they are the frames of a clip."""


def _scene(rng: random.Random, form: str, mix: Mix) -> Scene:
    if form == "pair":
        return scenes.pair(rng)
    if form == "clip":
        return scenes.clip(rng)
    if form in GRIDS:
        return scenes.shapes(rng, mix.least, mix.most, GRIDS[form])
    return _picture_scene(rng, mix.sources, mix.least, mix.most)


def _picture_scene(rng: random.Random, sources: Mapping[str, float], least: int, most: int) -> Scene:
    source = _chosen(rng, sources)
    if source == "bars":
        return scenes.bars(rng)
    if source == "sign":
        return scenes.sign(rng)
    return scenes.shapes(rng, least, most)


def _trained_picture(rng: random.Random, sources: Mapping[str, float]) -> ShapesScene | BarsScene | SignScene:
    grid = rng.choice(list(GRIDS.values())) if rng.random() < _SQUASHED else None

    def scene(rng: random.Random) -> Scene:
        if grid:
            return scenes.shapes(rng, grid=grid)
        return _picture_scene(rng, sources, 0, OBJECTS_MAX)

    found = scenes.trained(scene, rng)
    assert isinstance(found, ShapesScene | BarsScene | SignScene)
    return found


def _pictured(scene: Scene, form: str, rng: random.Random) -> Picture:
    if isinstance(scene, PairScene):
        return _many([draw(scene.first, rng), draw(scene.second, rng)])
    if isinstance(scene, ClipScene):
        return _many(draw_clip(scene, rng), frames=True)
    drawing = draw(scene, rng)
    tiles = single_tile(drawing.image) if form == "one" else tiled(drawing.image)
    return Picture(tiles.pixels, [tiles.layout], [patch_labels(drawing)])


def draw_clip(scene: ClipScene, rng: random.Random) -> list[Drawing]:
    """A clip's frames: one recording, so the same ground and the same shades in each."""
    seed = rng.getrandbits(60)
    return [draw(frame, random.Random(seed)) for frame in scene.frames()]


def _many(drawings: Sequence[Drawing], frames: bool = False) -> Picture:
    tiles: list[Tiles] = [single_tile(drawing.image) for drawing in drawings]
    labels = [patch_labels(drawing) for drawing in drawings]
    pixels = np.concatenate([tile.pixels for tile in tiles])
    if frames:
        return Picture(pixels, [clip_layout(len(tiles))], labels, frames=True)
    return Picture(pixels, layouts_of(tiles), labels)


def clip_layout(frames: int) -> tuple[int, ...]:
    """Rows of the pooled grids, a separator after every row of every frame (`mm_newline_position: grid`)."""
    layout: list[int] = []
    for row in range(frames * HALF):
        layout.extend(range(row * HALF, (row + 1) * HALF))
        layout.append(NEWLINE)
    return tuple(layout)


def _dialogue(
    vocabulary: Vocabulary, mix: Mix, scene: Scene, picture: Picture, length: int, rng: random.Random
) -> tuple[Canvas, list[tuple[str, int, int]], list[Looking]]:
    """Asks as many questions as fit; the last reply is followed by ends up to the full length. Gives also the kind and
    the place of every reply, and what its positions are about."""
    drop_first = rng.random() < 0.6
    canvas = opened(vocabulary, DEFAULT_SYSTEM if rng.random() < mix.system else None)
    early = rng.random() < mix.tail
    room = length - (rng.randint(20, 60) if early else 0)
    turns: list[tuple[str, int, int]] = []
    looked: list[Looking] = []
    said: Counter[tuple[str, str]] = Counter()
    for _ in range(_TRIES):
        exchange = _asked(mix, scene, rng)
        subject = (exchange[-1].kind, exchange[-1].answer)
        if said[subject] == _REPEATS:
            continue
        trial = Canvas()
        asked: list[tuple[str, int, int]] = []
        looks: list[Looking] = []
        for i, turn in enumerate(exchange):
            shown = picture.layouts if not turns and i == 0 else ()
            add_question(trial, vocabulary, with_pictures(turn.text(), len(shown)), shown, drop_first)
            begin = len(canvas) + len(trial)
            ends = 1 + (rng.randint(1, 6) if rng.random() < 0.5 else 0)
            add_reply(trial, vocabulary, turn.answer, ends, mix.end_weight)
            asked.append((turn.kind, begin, len(canvas) + len(trial) - ends + 1))
            looks += looks_of(vocabulary, turn, begin)
        if turns and len(canvas) + len(trial) > room:
            break
        if len(canvas) + len(trial) > length:
            if len(canvas) > 1:
                canvas = opened(vocabulary, None)
            continue
        canvas.ids += trial.ids
        canvas.visual += trial.visual
        canvas.weights += trial.weights
        turns += asked
        looked += looks
        said[subject] += 1
    canvas.add([vocabulary.end_of_turn] * (length - len(canvas)), mix.end_weight)
    return canvas, turns, looked


def _asked(mix: Mix, scene: Scene, rng: random.Random) -> Exchange:
    kinds = kinds_of(scene)
    while True:
        kind = _chosen(rng, {kind: mix.kinds.get(kind, 1.0) for kind in kinds})
        exchange = ask(kind, rng, scene)
        if exchange:
            return exchange


def _table_rows(canvases: Sequence[Canvas], pictures: Sequence[Picture], clip: bool) -> Tensor:
    """Layout entries to rows of the model's visual table: all tiles' patches, the newline, then the pooled frames."""
    tiles = sum(len(picture.pixels) for picture in pictures)
    newline = tiles * PATCHES
    rows = np.full((len(canvases), len(canvases[0])), -1, dtype=np.int64)
    before = 0
    for b, (canvas, picture) in enumerate(zip(canvases, pictures)):
        start = newline + 1 + before * HALF * HALF if clip else before * PATCHES
        rows[b] = table_rows(canvas.visual, newline, start)
        before += len(picture.pixels)
    return torch.from_numpy(rows)


def _noise(kind: str, size: int, generator: torch.Generator) -> Tensor:
    """Noise levels, stratified over the batch; `mixed` is t = 1 for two in five."""
    drawn = (torch.rand(1, generator=generator) + torch.arange(size) / size) % 1.0
    if kind == "full":
        return torch.ones(size)
    if kind == "mixed":
        full = torch.rand(size, generator=generator) < 0.4
        return torch.where(full, torch.ones(size), 0.02 + 0.98 * drawn)
    return drawn


def _chosen(rng: random.Random, shares: Mapping[str, float]) -> str:
    return rng.choices(list(shares), weights=list(shares.values()))[0]
