"""A dialogue as the model sees it: ids, visual positions, and which positions are replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .images import NEWLINE, Layout
from .vocabulary import DEFAULT_SYSTEM, Vocabulary

PLACEHOLDER = "<image>"


@dataclass
class Canvas:
    """Positions of one dialogue. `visual` holds layout entries, None for words; `weights` is 0 outside replies."""

    ids: list[int] = field(default_factory=list)
    visual: list[int | None] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, ids: Sequence[int], weight: float = 0.0) -> None:
        """Appends words, of the prompt or, with a weight, of a reply."""
        self.ids.extend(ids)
        self.visual.extend([None] * len(ids))
        self.weights.extend([weight] * len(ids))

    def show(self, layout: Layout, filler: int) -> None:
        """Appends one picture's visual positions."""
        self.ids.extend([filler] * len(layout))
        self.visual.extend(layout)
        self.weights.extend([0.0] * len(layout))


def opened(vocabulary: Vocabulary, system: str | None = DEFAULT_SYSTEM) -> Canvas:
    """The start of a dialogue, with a system message or without one."""
    canvas = Canvas()
    canvas.add([vocabulary.start])
    if system:
        canvas.add([*vocabulary.header("system"), *vocabulary.encode(system), vocabulary.end_of_turn])
    return canvas


def table_rows(visual: Sequence[int | None], newline: int, first: int = 0) -> list[int]:
    """Rows of the model's visual table, a row per position, and -1 where a word stands. Layout entries count from row
    `first`; the row separator is row `newline`."""
    return [-1 if at is None else newline if at == NEWLINE else first + at for at in visual]


def with_pictures(question: str, count: int) -> str:
    """The question behind one placeholder per picture, as clients' pictures are put into the prompt."""
    return " ".join([PLACEHOLDER] * count) + "\n" + question if count else question


def add_question(
    canvas: Canvas, vocabulary: Vocabulary, text: str, pictures: Sequence[Layout] = (), drop_first: bool = True
) -> None:
    """A user message and the assistant's header; the reply comes next. `text` has a placeholder per picture.

    The text is cut at the placeholders and every piece is tokenized alone. `drop_first` is the public inference code's
    habit of dropping the first token of every piece after a picture; its training code does not.
    """
    canvas.add(vocabulary.header("user"))
    first, *later = text.split(PLACEHOLDER)
    if len(later) != len(pictures):
        raise ValueError(f"{len(pictures)} pictures but {len(later)} placeholders in {text!r}")
    canvas.add(vocabulary.encode(first))
    for layout, piece in zip(pictures, later):
        canvas.show(layout, vocabulary.end_of_turn)
        canvas.add(vocabulary.encode(piece)[1 if drop_first else 0 :])
    canvas.add([vocabulary.end_of_turn, *vocabulary.header("assistant")])


def add_reply(canvas: Canvas, vocabulary: Vocabulary, answer: str, ends: int = 1, end_weight: float = 1.0) -> None:
    """A reply that is trained on: its words, its end, and `ends` - 1 further ends of weight `end_weight`."""
    canvas.add([*vocabulary.encode(answer), vocabulary.end_of_turn], 1.0)
    canvas.add([vocabulary.end_of_turn] * (ends - 1), end_weight)
