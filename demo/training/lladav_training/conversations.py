"""Training data of your own: JSON lines in the LLaVA conversation format, read with file and line for every fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .dialogues import PLACEHOLDER, Canvas, add_question, add_reply, opened
from .images import Tiles, layouts_of, tiles_of
from .vocabulary import DEFAULT_SYSTEM, SPECIAL, Vocabulary

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


class BadRecord(ValueError):
    """A record that cannot be trained on; its text begins with `FILE:LINE: `."""


@dataclass(frozen=True)
class Record:
    """One dialogue: pictures in the order of their placeholders, and (question, answer) pairs."""

    pictures: tuple[Path, ...]
    exchanges: tuple[tuple[str, str], ...]
    system: str | None
    source: str
    """`FILE:LINE`, for messages."""


def read_records(file: Path, pictures: Path) -> Iterator[Record | BadRecord]:
    """Every line of a file as a record or as what is wrong with it. Blank lines are left out.

    A line is `{"image": "a.png" or ["a.png", …] or absent, "conversations": [{"from": "human", "value": "<image>\\n…"},
    {"from": "gpt", "value": "…"}, …]}`; an opening `system` message is allowed. Paths are relative to `pictures`.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            source = f"{file}:{number}"
            try:
                yield _record(json.loads(line.decode("utf-8")), pictures, source)
            except UnicodeDecodeError as error:
                yield BadRecord(f"{source}: not UTF-8: byte {error.start + 1} of the line is {line[error.start]:#04x}")
            except json.JSONDecodeError as error:
                yield BadRecord(f"{source}: not a JSON object: {error.msg} at column {error.colno}")
            except BadRecord as error:
                yield error


def encoded(record: Record, vocabulary: Vocabulary, longest: int) -> tuple[Canvas, Tiles | None]:
    """A record as a canvas with its tiles; BadRecord when it is longer than `longest` positions."""
    tiles = _tiles(record)
    layouts = layouts_of(tiles)
    canvas = opened(vocabulary, record.system)
    for question, answer in record.exchanges:
        count = question.count(PLACEHOLDER)
        add_question(canvas, vocabulary, question, layouts[:count], drop_first=False)
        layouts = layouts[count:]
        add_reply(canvas, vocabulary, answer)
    if len(canvas) > longest:
        raise BadRecord(f"{record.source}: {len(canvas)} positions with its pictures; at most {longest} are allowed")
    return canvas, _joined(tiles)


def _record(line: object, pictures: Path, source: str) -> Record:
    if not isinstance(line, dict):
        raise BadRecord(f"{source}: a JSON object is needed, not {type(line).__name__}")
    named = line.get("image", [])
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRecord(f"{source}: image must be a path or a list of paths")
    paths = tuple(pictures / name for name in names)
    for path in paths:
        _check_picture(path, source)
    system, exchanges = _exchanges(line.get("conversations"), source)
    placed = sum(question.count(PLACEHOLDER) for question, _ in exchanges)
    if placed != len(paths):
        raise BadRecord(f"{source}: {len(paths)} pictures but {placed} {PLACEHOLDER} placeholders in the questions")
    return Record(paths, exchanges, system, source)


def _check_picture(path: Path, source: str) -> None:
    if not path.is_file():
        raise BadRecord(f"{source}: the picture {path} does not exist")
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadRecord(f"{source}: the picture {path} cannot be read: {error}") from error


def _exchanges(messages: object, source: str) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    if not isinstance(messages, list) or not messages:
        raise BadRecord(f"{source}: conversations must be a list of messages, and not empty")
    said = [_message(message, i, source) for i, message in enumerate(messages)]
    system: str | None = DEFAULT_SYSTEM
    if said[0][0] == "system":
        system, said = said[0][1], said[1:]
    for i, (role, _) in enumerate(said):
        expected = "user" if i % 2 == 0 else "assistant"
        if role != expected:
            number = len(messages) - len(said) + i
            raise BadRecord(f"{source}: message {number} is from the {role}; user and assistant take turns, user first")
    if not said or len(said) % 2:
        raise BadRecord(f"{source}: the last question has no answer")
    return system, tuple((said[i][1], said[i + 1][1]) for i in range(0, len(said), 2))


def _message(message: object, number: int, source: str) -> tuple[str, str]:
    if not isinstance(message, dict) or not isinstance(message.get("value"), str):
        raise BadRecord(f"{source}: message {number} needs a text under `value`")
    role = _ROLES.get(str(message.get("from")))
    if role is None:
        raise BadRecord(
            f"{source}: message {number} has the unknown role {message.get('from')!r}; known are {', '.join(_ROLES)}"
        )
    text = message["value"].strip()
    if role != "user" and PLACEHOLDER in text:
        raise BadRecord(f"{source}: message {number} is from the {role} and holds {PLACEHOLDER}; only questions may")
    if role == "assistant" and not text:
        raise BadRecord(f"{source}: message {number} is an empty answer")
    for name in SPECIAL:
        if name in text:
            raise BadRecord(f"{source}: message {number} holds the special token {name}")
    return role, text


def _tiles(record: Record) -> list[Tiles]:
    images = []
    for path in record.pictures:
        with Image.open(path) as image:
            images.append(image.convert("RGB"))
    return tiles_of(images)


def _joined(tiles: list[Tiles]) -> Tiles | None:
    if not tiles:
        return None
    return Tiles(np.concatenate([tile.pixels for tile in tiles]), ())
