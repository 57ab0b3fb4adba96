"""Pictures to tiles and to the order of visual positions: `anyres` with one to four tiles, as model and engines do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .labels import GRID
from .scenes import TILE

PINPOINTS = tuple((TILE * across, TILE * down) for across in (1, 2) for down in (1, 2))
"""Resolutions (width, height) that a picture may be fitted into: `image_grid_pinpoints` of the checkpoint."""
PATCHES = GRID * GRID
NEWLINE = -1
"""Stands for the row separator in a layout."""

Layout = tuple[int, ...]
"""Visual positions in order: tile · PATCHES + patch, or NEWLINE."""


@dataclass(frozen=True)
class Tiles:
    """`pixels` (tiles, 3, S, S), 8 bit, and the order in which their patches enter the prompt."""

    pixels: NDArray[np.uint8]
    layout: Layout


def single_tile(image: Image.Image) -> Tiles:
    """One of several pictures: pasted centred on a gray square, one tile, one separator after it."""
    side = max(image.size)
    if image.size != (side, side):
        square = Image.new("RGB", (side, side), (127, 127, 127))
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = square
    return Tiles(_pixels([_resized(image, TILE, TILE)]), (*range(PATCHES), NEWLINE))


def tiled(image: Image.Image) -> Tiles:
    """The only picture of a dialogue: the whole picture squashed to one tile, then the tiles of the best resolution."""
    if image.size == (TILE, TILE):
        # Squashed and tiled are the same pixels here: the tower need not run twice.
        return Tiles(_pixels([image]), (*range(PATCHES), *grid_layout(image.size, (TILE, TILE), first=0)))
    resolution = best_resolution(image.size)
    across, down = resolution
    scale_x, scale_y = across / image.width, down / image.height
    if scale_x < scale_y:
        fitted = (across, min(_ceil(image.height * scale_x), down))
    else:
        fitted = (min(_ceil(image.width * scale_y), across), down)
    canvas = Image.new("RGB", resolution)
    canvas.paste(_resized(image, *fitted), ((across - fitted[0]) // 2, (down - fitted[1]) // 2))
    tiles = [_resized(image, TILE, TILE)]
    for top in range(0, down, TILE):
        tiles += [canvas.crop((left, top, left + TILE, top + TILE)) for left in range(0, across, TILE)]
    return Tiles(_pixels(tiles), (*range(PATCHES), *grid_layout(image.size, resolution, first=1)))


@lru_cache(maxsize=4096)
def best_resolution(size: tuple[int, int]) -> tuple[int, int]:
    """Largest effective resolution, then least waste, then the earlier one (model-spec of `anyres`)."""
    width, height = size

    def rank(candidate: tuple[int, int]) -> tuple[int, int]:
        scale = min(candidate[0] / width, candidate[1] / height)
        effective = min(int(width * scale) * int(height * scale), width * height)
        return -effective, candidate[0] * candidate[1] - effective

    return min(PINPOINTS, key=rank)


@lru_cache(maxsize=4096)
def grid_layout(size: tuple[int, int], resolution: tuple[int, int], first: int) -> Layout:
    """The tiles as one grid without the padding, a separator after each row; tile 0 of it is tile `first`."""
    across, down = resolution[0] // TILE, resolution[1] // TILE
    columns, rows = across * GRID, down * GRID
    width, height = size
    top, left = 0, 0
    if width / height > columns / rows:
        top = (rows - int(height * columns / width)) // 2
    else:
        left = (columns - int(width * rows / height)) // 2
    layout: list[int] = []
    for y in range(top, rows - top):
        for x in range(left, columns - left):
            tile = first + (y // GRID) * across + x // GRID
            layout.append(tile * PATCHES + (y % GRID) * GRID + x % GRID)
        layout.append(NEWLINE)
    return tuple(layout)


def tiles_of(images: Sequence[Image.Image]) -> list[Tiles]:
    """The pictures of a dialogue: one alone is tiled, several are one tile each."""
    return [tiled(images[0])] if len(images) == 1 else [single_tile(image) for image in images]


def layouts_of(pictures: Sequence[Tiles]) -> list[Layout]:
    """The pictures' layouts, each counting patches from the first tile of all."""
    before = 0
    found = []
    for picture in pictures:
        found.append(shifted(picture.layout, before * PATCHES))
        before += len(picture.pixels)
    return found


def shifted(layout: Layout, rows: int) -> Layout:
    """The same order for tiles that stand `rows` patches further on."""
    return tuple(at if at == NEWLINE else at + rows for at in layout)


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """8-bit pixels to -1 … 1: (x / 255 - 0.5) / 0.5."""
    return ((pixels.astype(np.float32) / 255) - 0.5) / 0.5


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def _pixels(tiles: list[Image.Image]) -> NDArray[np.uint8]:
    return np.stack([np.asarray(tile).transpose(2, 0, 1) for tile in tiles])


def _ceil(value: float) -> int:
    return -int(-value // 1)
