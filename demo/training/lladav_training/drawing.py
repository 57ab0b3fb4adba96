"""Draws a scene, and marks which object every pixel belongs to: the labels that the vision tower is pretrained on."""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .attributes import COLOR_NAMES, COLORS, SHAPES, SIGN_WORDS, SIZES, Rgb, held_out
from .scenes import TILE, BarsScene, ShapesScene, SignScene, Thing

_FINE = 2
"""Pixels are drawn twice as fine and averaged."""
_FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSans-Oblique", "DejaVuSerif-Italic",
)  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

Point = tuple[float, float]


_FAR = 100
"""Distance in RGB at which a colour is no shade of another."""
UNNAMED = 255
"""Class of an attribute that has no name."""


@dataclass(frozen=True)
class Mark:
    """What one drawn object is: a class per attribute, 0 where the attribute does not apply to it, UNNAMED where it has
    one that none of the classes is."""

    color: int = 0
    shape: int = 0
    size: int = 0
    row: int = 0
    column: int = 0
    rank: int = 0
    order: int = 0
    letter: int = 0
    word: int = 0
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Drawing:
    """A picture, RGB, and per pixel the number of its mark in `marks` (0: background)."""

    image: Image.Image
    owner: NDArray[np.uint8]
    marks: tuple[Mark, ...]


def draw(scene: ShapesScene | BarsScene | SignScene, rng: random.Random, unnamed: float = 0.0) -> Drawing:
    """Draws a scene on a light ground of a random tint, sometimes with noise. That share of a shapes scene's objects is
    painted in a colour of no name instead of its own: an aid against learning shapes and colours as pairs."""
    ground = tuple(rng.randint(205, 255) for _ in range(3)) if rng.random() < 0.6 else (255, 255, 255)
    width, height = (scene.width, scene.height) if isinstance(scene, ShapesScene) else (TILE, TILE)
    canvas = _Canvas(width, height, ground)
    if isinstance(scene, ShapesScene):
        _draw_shapes(canvas, scene, rng, unnamed)
    elif isinstance(scene, BarsScene):
        _draw_bars(canvas, scene, rng)
    else:
        _draw_sign(canvas, scene, rng)
    return canvas.finish(rng.choice((0, 0, 0, 4, 8)), rng.getrandbits(32))


class _Canvas:
    def __init__(self, width: int, height: int, ground: tuple[int, ...]) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * _FINE, height * _FINE), ground)
        self._owner = Image.new("L", (width, height), 0)
        self._marks: list[Mark] = []
        self.image_pen = ImageDraw.Draw(self._image)
        self.owner_pen = ImageDraw.Draw(self._owner)

    def mark(self, mark: Mark) -> int:
        """Gives the number under which a mark's pixels are entered."""
        self._marks.append(mark)
        return len(self._marks)

    def polygon(self, points: Sequence[Point], color: Rgb, number: int) -> None:
        self.image_pen.polygon([(x * _FINE, y * _FINE) for x, y in points], fill=color)
        self.owner_pen.polygon(list(points), fill=number)

    def ellipse(self, x: float, y: float, radius: float, color: Rgb, number: int) -> None:
        box = (x - radius, y - radius, x + radius, y + radius)
        self.image_pen.ellipse([v * _FINE for v in box], fill=color)
        self.owner_pen.ellipse(list(box), fill=number)

    def finish(self, noise: float, seed: int) -> Drawing:
        image = self._image.reduce(_FINE)
        if noise:
            grain = np.random.default_rng(seed).standard_normal((self.height, self.width, 3), dtype=np.float32)
            pixels = np.asarray(image, dtype=np.float32) + noise * grain
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        return Drawing(image, np.asarray(self._owner), tuple(self._marks))


def _draw_shapes(canvas: _Canvas, scene: ShapesScene, rng: random.Random, unnamed: float) -> None:
    for thing in scene.things:
        has_name = unnamed == 0.0 or rng.random() >= unnamed
        number = canvas.mark(
            Mark(
                color=1 + COLOR_NAMES.index(thing.color) if has_name else UNNAMED,
                shape=1 + SHAPES.index(thing.shape),
                size=1 + SIZES.index(thing.size),
                row=1 + thing.row,
                column=1 + thing.column,
                x=thing.x,
                y=thing.y,
            )
        )
        color = _jittered(thing.color, rng) if has_name else _any_color(thing.shape, rng)
        _draw_thing(canvas, thing, color, number)


def _draw_thing(canvas: _Canvas, thing: Thing, color: Rgb, number: int) -> None:
    x, y = thing.x * canvas.width, thing.y * canvas.height
    radius = thing.radius * min(canvas.width, canvas.height)
    if thing.shape == "circle":
        canvas.ellipse(x, y, radius, color, number)
    else:
        canvas.polygon([(x + px * radius, y + py * radius) for px, py in _outline(thing.shape)], color, number)


@lru_cache
def _outline(shape: str) -> tuple[Point, ...]:
    """A shape's corners around the origin, about as large as the unit circle."""
    if shape == "square":
        return ((-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86))
    if shape == "triangle":
        return ((0, -1), (0.98, 0.82), (-0.98, 0.82))
    if shape == "diamond":
        return ((0, -1.1), (0.8, 0), (0, 1.1), (-0.8, 0))
    if shape == "cross":
        a, b = 0.34, 1.0
        return (
            (-a, -b),
            (a, -b),
            (a, -a),
            (b, -a),
            (b, a),
            (a, a),
            (a, b),
            (-a, b),
            (-a, a),
            (-b, a),
            (-b, -a),
            (-a, -a),
        )
    turns = (math.pi * (i / 5 - 0.5) for i in range(10))
    return tuple((math.cos(a) * r, math.sin(a) * r) for a, r in zip(turns, (1.12, 0.46) * 5))


def _draw_bars(canvas: _Canvas, scene: BarsScene, rng: random.Random) -> None:
    count, ranked = len(scene.colors), scene.by_height()
    pitch = 0.9 * canvas.width / count
    width = min(pitch * rng.uniform(0.6, 0.8), 0.26 * canvas.width)
    base = canvas.height * 0.96
    for i, (color, height) in enumerate(zip(scene.colors, scene.heights)):
        left = 0.05 * canvas.width + (i + 0.5) * pitch - width / 2
        top = base - height * canvas.height
        rank = ranked.index(color)
        number = canvas.mark(
            Mark(
                color=1 + COLOR_NAMES.index(color),
                shape=1 + len(SHAPES),
                rank=5 if rank == count - 1 else 1 + rank,
                order=1 + i,
                x=(left + width / 2) / canvas.width,
                y=(top + base) / 2 / canvas.height,
            )
        )
        corners = ((left, top), (left + width, top), (left + width, base), (left, base))
        canvas.polygon(corners, _jittered(color, rng), number)
    axis = (0.03 * canvas.width * _FINE, base * _FINE, 0.97 * canvas.width * _FINE, (base + 1.5) * _FINE)
    canvas.image_pen.rectangle(axis, fill=(60, 60, 60))


def _draw_sign(canvas: _Canvas, scene: SignScene, rng: random.Random) -> None:
    name = rng.choice(_FONTS)
    size = scene.height * canvas.height
    room = 0.92 * canvas.width
    length = _font(name, round(size * _FINE)).getlength(scene.text) / _FINE
    size *= min(1.0, room / length)
    font, coarse = _font(name, round(size * _FINE)), _font(name, round(size))
    width, line = font.getlength(scene.text) / _FINE, size
    x = rng.uniform(0.04 * canvas.width, max(0.04 * canvas.width, 0.96 * canvas.width - width))
    y = rng.uniform(0.05, 0.9) * (canvas.height - 1.2 * line)
    canvas.image_pen.text((x * _FINE, y * _FINE), scene.text, font=font, fill=_jittered(scene.color, rng))
    for i, letter in enumerate(scene.text):
        left = x + font.getlength(scene.text[:i]) / _FINE
        right = x + font.getlength(scene.text[: i + 1]) / _FINE
        number = canvas.mark(
            Mark(
                color=1 + COLOR_NAMES.index(scene.color),
                shape=2 + len(SHAPES),
                order=1 + i,
                letter=1 + LETTERS.index(letter),
                word=0 if scene.is_number else 1 + SIGN_WORDS.index(scene.text),
                x=(left + right) / 2 / canvas.width,
                y=(y + line / 2) / canvas.height,
            )
        )
        canvas.owner_pen.text((left, y), letter, font=coarse, fill=number)


def _any_color(shape: str, rng: random.Random) -> Rgb:
    """Any colour that stands out from a light ground and is far from those that this shape is never trained in."""
    kept = [rgb for name, rgb in COLORS.items() if held_out(name, shape)]
    while True:
        color = rng.randrange(256), rng.randrange(256), rng.randrange(256)
        if min(color) < 150 and all(sum((a - b) ** 2 for a, b in zip(rgb, color)) > _FAR**2 for rgb in kept):
            return color


def _jittered(color: str, rng: random.Random) -> Rgb:
    red, green, blue = (min(255, max(0, part + rng.randint(-14, 14))) for part in COLORS[color])
    return red, green, blue


@lru_cache(maxsize=512)
def _font(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    """A DejaVu face, as the plotting library ships them, so that every machine draws the same letters."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("matplotlib is missing: install demo/training/requirements.txt")
    return ImageFont.truetype(str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"), pixels)
