"""Dense labels: what each patch of a tile shows. Aid to the vision tower's pretraining; no inference uses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .attributes import COLOR_NAMES, COLUMNS, RANKS, ROWS, SHAPES, SIGN_WORDS, SIZES
from .drawing import LETTERS, Drawing
from .scenes import TILE

PATCH = 16
GRID = TILE // PATCH
CELLS = 4
"""Sub-cells per patch and direction in which the outline is given."""

ATTRIBUTES: dict[str, int] = {
    "color": 1 + len(COLOR_NAMES),
    "shape": 3 + len(SHAPES),
    "size": 1 + len(SIZES),
    "row": 1 + len(ROWS),
    "column": 1 + len(COLUMNS),
    "rank": 1 + len(RANKS),
    "order": 6,
    "letter": 1 + len(LETTERS),
    "word": 1 + len(SIGN_WORDS),
    "centre": 2,
    "patch_row": GRID,
    "patch_column": GRID,
}
"""Classes per attribute; class 0 of an object's attribute means that it does not apply."""

_LEAST_SHARE = 0.1
_OF_A_MARK = ("color", "shape", "size", "row", "column", "rank", "order", "letter", "word")


@dataclass(frozen=True)
class PatchLabels:
    """`classes` (49, attributes), in the order of ATTRIBUTES; `outline` (49, 16): share of foreground, 0 to 1; `marks`
    (49): the number of the mark that a patch shows most of, 0 for none."""

    classes: NDArray[np.uint8]
    outline: NDArray[np.float32]
    marks: NDArray[np.int64]


def patch_labels(drawing: Drawing) -> PatchLabels:
    """Labels of the drawing as the base tile shows it: squashed to one tile, whatever its own size."""
    height, width = drawing.owner.shape
    rows = (np.arange(TILE) * height) // TILE
    columns = (np.arange(TILE) * width) // TILE
    owner = drawing.owner[rows][:, columns]
    patches = owner.reshape(GRID, PATCH, GRID, PATCH).swapaxes(1, 2).reshape(GRID * GRID, PATCH * PATCH)
    table = np.zeros((len(drawing.marks) + 1, len(_OF_A_MARK)), dtype=np.uint8)
    for number, mark in enumerate(drawing.marks, start=1):
        table[number] = [getattr(mark, name) for name in _OF_A_MARK]
    counts = np.stack([(patches == number).sum(1) for number in range(1, len(drawing.marks) + 1)] or [patches.sum(1)])
    best = counts.argmax(0) + 1
    best[counts.max(0) < _LEAST_SHARE * PATCH * PATCH] = 0
    if not drawing.marks:
        best[:] = 0
    centre = np.zeros(GRID * GRID, dtype=np.uint8)
    for mark in drawing.marks:
        centre[_cell(mark.y) * GRID + _cell(mark.x)] = 1
    place = np.arange(GRID * GRID, dtype=np.uint8)
    classes = np.concatenate([table[best], np.stack([centre, place // GRID, place % GRID], 1)], 1)
    step = PATCH // CELLS
    cells = (owner > 0).reshape(GRID, CELLS, step, GRID, CELLS, step).mean((2, 5), dtype=np.float32)
    outline = cells.transpose(0, 2, 1, 3).reshape(GRID * GRID, CELLS * CELLS)
    return PatchLabels(classes, outline, best)


def _cell(share: float) -> int:
    return min(GRID - 1, max(0, int(share * GRID)))
