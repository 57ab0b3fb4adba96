"""The held-out evaluation: questions over pictures of seeds of their own, as plain files."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from . import scenes
from .attributes import held_out
from .batches import GRIDS, draw_clip
from .drawing import draw
from .questions import CORE, FURTHER, Exchange, Turn, ask
from .scenes import BarsScene, ClipScene, PairScene, Scene, ShapesScene, SignScene, Thing

CORE_QUESTIONS = 75
FURTHER_QUESTIONS = (62, 61)
"""Per further kind: four kinds have the larger number, so that there are 1,500 questions in all."""
UNSEEN_SHARE = 0.3
_LONG = {"description": 64, "list": 64, "reasoning": 48}
_SHORT = 16
_PNG_MAX = 6000
"""Bytes; noise makes a PNG larger."""
_SIGNS = ("text_color", "reading")
_BARS = ("bars", "highest", "bar_other")


@dataclass(frozen=True)
class Question:
    """One question over one picture, two, or a clip."""

    identity: str
    exchange: Exchange
    scene: Scene
    unseen: bool
    images: tuple[Image.Image, ...]

    @property
    def turn(self) -> Turn:
        return self.exchange[-1]


def write_evaluation(folder: Path, seed: int) -> int:
    """Writes `questions.jsonl` and `pictures/` into `folder`; returns how many questions there are."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    lines = []
    for question in evaluation(seed):
        names = []
        for i, image in enumerate(question.images):
            name = f"pictures/{question.identity}{f'-{i}' if len(question.images) > 1 else ''}"
            names.append(_saved(image, folder, name))
        lines.append(json.dumps(_line(question, names)) + "\n")
    (folder / "questions.jsonl").write_text("".join(lines), encoding="utf-8")
    return len(lines)


def evaluation(seed: int) -> Iterator[Question]:
    """All questions, kind by kind; about three in ten over combinations that were never trained."""
    for number, kind in enumerate((*CORE, *FURTHER)):
        count = CORE_QUESTIONS if kind in CORE else FURTHER_QUESTIONS[0 if number - len(CORE) < 4 else 1]
        rng = random.Random(f"evaluation/{seed}/{kind}")
        for i in range(count):
            unseen = int((i + 1) * UNSEEN_SHARE) > int(i * UNSEEN_SHARE)
            yield _question(f"{kind}-{i:03}", kind, unseen, rng)


def _question(identity: str, kind: str, unseen: bool, rng: random.Random) -> Question:
    while True:
        scene = _scene(kind, rng)
        if scene.unseen() != unseen:
            continue
        exchange = ask(kind, rng, scene)
        if exchange and (not unseen or _about_unseen(exchange, scene)):
            return Question(identity, exchange, scene, unseen, _drawn(scene, rng))


def _saved(image: Image.Image, folder: Path, name: str) -> str:
    """Writes a picture where it takes least room: plain ones as PNG, noisy ones as JPEG."""
    plain = folder / f"{name}.png"
    image.save(plain, optimize=True)
    if plain.stat().st_size <= _PNG_MAX:
        return f"{name}.png"
    plain.unlink()
    image.save(folder / f"{name}.jpg", quality=85)
    return f"{name}.jpg"


def _scene(kind: str, rng: random.Random) -> Scene:
    if kind in _SIGNS:
        return scenes.sign(rng)
    if kind in _BARS:
        return scenes.bars(rng)
    if kind in ("mover", "direction"):
        return scenes.clip(rng)
    if kind in ("pair_existence", "change"):
        return scenes.pair(rng)
    grid = rng.choice((None, None, None, *GRIDS.values()))
    return scenes.shapes(rng, grid=grid)


def _about_unseen(exchange: Exchange, scene: Scene) -> bool:
    """Whether the question is about the combination: for objects, whether it or the answer names one, or names none."""
    if isinstance(scene, BarsScene | SignScene | ClipScene):
        return True
    things = scene.things if isinstance(scene, ShapesScene) else (*scene.first.things, *scene.second.things)
    said = " ".join(f"{turn.question} {turn.answer}" for turn in exchange)
    named = [thing for thing in things if _names(said, thing)]
    return not named or any(held_out(thing.color, thing.shape) for thing in named)


def _names(said: str, thing: Thing) -> bool:
    return thing.color in said and thing.shape in said


def _drawn(scene: Scene, rng: random.Random) -> tuple[Image.Image, ...]:
    if isinstance(scene, PairScene):
        return draw(scene.first, rng).image, draw(scene.second, rng).image
    if isinstance(scene, ClipScene):
        return tuple(drawing.image for drawing in draw_clip(scene, rng))
    return (draw(scene, rng).image,)


def _line(question: Question, names: Sequence[str]) -> dict[str, object]:
    turn, kind = question.turn, question.turn.kind
    line: dict[str, object] = {
        "id": question.identity,
        "kind": kind,
        "core": kind in CORE,
        "combination": "unseen" if question.unseen else "seen",
        "video" if isinstance(question.scene, ClipScene) else "images": list(names),
    }
    if len(question.exchange) > 1:
        line["earlier"] = [{"question": t.question, "answer": t.answer} for t in question.exchange[:-1]]
    line["question"] = turn.question
    if turn.think:
        line["think"] = turn.think
    line["answers"] = [turn.answer.split("Answer: ")[-1]]
    line["scoring"] = "facts" if turn.facts else "final" if kind == "reasoning" else "exact"
    if turn.facts:
        line["facts"] = list(turn.facts)
    line["gen_length"] = _LONG.get(kind, _SHORT)
    return line
