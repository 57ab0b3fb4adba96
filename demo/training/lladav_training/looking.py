"""Aid of stage 2: two heads of three layers of the language tower are told where to look.

The generator knows which object a name in a question, or a part of a reply, is about. Like the dense labels this is
no part of the paper's recipe, and nothing of it is exported.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .dialogues import Canvas
from .images import NEWLINE
from .labels import GRID, PatchLabels
from .questions import NOTHING, Look, Turn
from .vocabulary import Vocabulary

HALF = (GRID + 1) // 2
"""Side of a clip's frame in pooled patches."""
_LEAST = 1e-4
"""Keeps the loss of a look that falls on nothing finite."""

NAME, WORD, OBJECT = range(3)
"""The layers that are told, in order: a name in the question looks at the object; the reply looks at that name; the
reply looks at the object."""

Looking = tuple[int, int, int, Look | int]
"""A position, the layer and the head that look, and the object or the position that they look at."""


def looks_of(vocabulary: Vocabulary, turn: Turn, reply: int) -> list[Looking]:
    """The looks of a turn whose reply begins at position `reply`: of the last token of every name in the question, and
    of every token of the answer's parts."""
    text = turn.text()
    question = reply - 1 - len(vocabulary.header("assistant")) - len(vocabulary.encode(text))
    names = [(question + _tokens(vocabulary, text, look)[-1], look) for look in turn.asked]
    found: list[Looking] = [(position, NAME, look.head, look) for position, look in names]
    words: dict[Looking, None] = {}
    for look in turn.looks:
        named = [position for position, name in names if (name.mark, name.picture) == (look.mark, look.picture)]
        for at in _tokens(vocabulary, turn.answer, look):
            found.append((reply + at, OBJECT, look.head, look))
            words |= dict.fromkeys((reply + at, WORD, look.head, position) for position in named)
    return [*found, *words]


def looked_at(look: Look | int, labels: Sequence[PatchLabels], pooled: bool, canvas: Canvas) -> NDArray[np.bool_]:
    """Which of a dialogue's positions (T) a look is at; nothing stands at the first position. `labels` has an entry per
    picture or frame; `pooled` says that the patches of frames are halved."""
    shown: NDArray[np.bool_] = np.zeros(len(canvas), dtype=np.bool_)
    if isinstance(look, int) or look.mark == NOTHING:
        shown[look if isinstance(look, int) else 0] = True
        return shown
    patches = labels[look.picture].marks == look.mark
    if pooled:
        grid = patches.reshape(GRID, GRID)
        near = [max(0, int((half + 0.5) * GRID / HALF - 0.5)) for half in range(HALF)]
        patches = np.array([grid[y : y + 2, x : x + 2].any() for y in near for x in near])
    entries = look.picture * len(patches) + np.flatnonzero(patches)
    visual = np.array([NEWLINE if at is None else at for at in canvas.visual])
    return np.isin(visual, entries)


def looking_loss(attention: Tensor, looks: Tensor, looked_at: Tensor) -> Tensor:
    """-log of the attention that falls where a position ought to look, averaged over the looks.

    `attention` (B, 3, heads, T, T), weights that sum to one over the last axis; `looks` (L, 4): dialogue, position,
    layer (NAME, WORD or OBJECT), head; `looked_at` (L, T), true where that head of that position ought to look.
    """
    dialogue, position, layer, head = looks.unbind(1)
    there = (attention[dialogue, layer, head, position].float() * looked_at).sum(-1)
    return -(there + _LEAST).log().mean() if len(looks) else attention.new_zeros(())


def _tokens(vocabulary: Vocabulary, text: str, look: Look) -> range:
    """The tokens of a text that a look is of."""
    begin = len(vocabulary.encode(text[: look.begin].rstrip()))
    return range(begin, len(vocabulary.encode(text[: look.end])))
