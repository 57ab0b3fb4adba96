"""What a picture shows, before it is drawn: drawn at random, with every fact that questions may ask for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from .attributes import (
    COLOR_NAMES,
    COLUMNS,
    DIRECTIONS,
    FRAMES,
    OBJECTS_MAX,
    ROWS,
    SHAPES,
    SIGN_DIGITS_MAX,
    SIGN_WORDS,
    SIZES,
    held_out,
)

TILE = 112
"""Side of a vision tile in pixels."""


@dataclass(frozen=True)
class Thing:
    """One object. `x` and `y` are its centre as shares of the picture, `radius` a share of the shorter side."""

    color: str
    shape: str
    size: str
    row: int
    column: int
    x: float
    y: float
    radius: float

    @property
    def name(self) -> str:
        return f"{self.color} {self.shape}"

    @property
    def place(self) -> str:
        return f"{ROWS[self.row]} {COLUMNS[self.column]}"


@dataclass(frozen=True)
class ShapesScene:
    """Up to six objects, each in a ninth of its own; `width` and `height` are pixels."""

    things: tuple[Thing, ...]
    width: int = TILE
    height: int = TILE

    def unseen(self) -> bool:
        """Whether it holds a combination that is kept for the evaluation."""
        return any(held_out(thing.color, thing.shape) for thing in self.things)


@dataclass(frozen=True)
class BarsScene:
    """A bar chart: colours from left to right, and heights as shares of the picture, all distinct."""

    colors: tuple[str, ...]
    heights: tuple[float, ...]

    def by_height(self) -> list[str]:
        """Colours from the highest bar to the lowest."""
        return [color for _, color in sorted(zip(self.heights, self.colors), reverse=True)]

    def unseen(self) -> bool:
        """Whether it holds a combination that is kept for the evaluation."""
        return held_out("bars", len(self.colors), self.by_height()[0])


@dataclass(frozen=True)
class SignScene:
    """One printed word or number. `height` is the size of its letters as a share of the picture."""

    text: str
    color: str
    height: float

    @property
    def is_number(self) -> bool:
        return self.text.isdigit()

    def unseen(self) -> bool:
        """Whether it holds a combination that is kept for the evaluation."""
        return held_out("sign", self.color, self.text)


@dataclass(frozen=True)
class ClipScene:
    """Four frames of a few objects of which one, `things[0]`, moves; it is named by where it starts."""

    things: tuple[Thing, ...]
    direction: str

    def frames(self) -> list[ShapesScene]:
        """The clip picture by picture; only the first object moves, a cell each time."""
        mover = self.things[0]
        dx, dy = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[self.direction]
        return [ShapesScene((_moved(mover, dx * frame, dy * frame), *self.things[1:])) for frame in range(FRAMES)]

    def unseen(self) -> bool:
        """Whether it holds a combination that is kept for the evaluation."""
        mover = self.things[0]
        return held_out("motion", mover.shape, self.direction) or any(
            held_out(thing.color, thing.shape) for thing in self.things
        )


@dataclass(frozen=True)
class PairScene:
    """Two pictures, the second made from the first by one change or none, or without regard to it."""

    first: ShapesScene
    second: ShapesScene
    change: str | None
    """What changed, in four words; None when the two have nothing to do with one another."""

    def unseen(self) -> bool:
        """Whether it holds a combination that is kept for the evaluation."""
        return self.first.unseen() or self.second.unseen()


Scene = ShapesScene | BarsScene | SignScene | ClipScene | PairScene
Draw = Callable[[random.Random], Scene]


def trained(draw: Draw, rng: random.Random) -> Scene:
    """Draws until the scene holds no combination that is kept for the evaluation."""
    while (scene := draw(rng)).unseen():
        pass
    return scene


def shapes(
    rng: random.Random, least: int = 0, most: int = OBJECTS_MAX, grid: tuple[int, int] | None = None
) -> ShapesScene:
    """A scene of `least` to `most` objects: of one tile, or of a size that is cut into `grid` (across, down) tiles."""
    width, height = (side * TILE - rng.randint(0, 16) for side in grid) if grid else (TILE, TILE)
    return ShapesScene(_things(rng, rng.randint(least, most)), width, height)


def bars(rng: random.Random) -> BarsScene:
    """A chart of two to five bars of distinct colours and heights."""
    count = rng.randint(2, 5)
    steps = rng.sample(range(7), count)
    heights = tuple(0.16 + 0.11 * step + rng.uniform(-0.02, 0.02) for step in steps)
    return BarsScene(tuple(rng.sample(COLOR_NAMES, count)), heights)


def sign(rng: random.Random) -> SignScene:
    """A printed number or word, in equal parts."""
    if rng.random() < 0.5:
        text = str(rng.randint(0, 10 ** rng.randint(1, SIGN_DIGITS_MAX) - 1))
    else:
        text = rng.choice(SIGN_WORDS)
    return SignScene(text, rng.choice(COLOR_NAMES), rng.uniform(0.24, 0.42))


def clip(rng: random.Random) -> ClipScene:
    """One object that crosses the picture, and up to two that stand beside its lane."""
    direction = rng.choice(DIRECTIONS)
    lane = rng.randrange(3)
    start = 2 if direction in ("left", "up") else 0
    horizontal = direction in ("left", "right")
    cell = (lane, start) if horizontal else (start, lane)
    free = [(r, c) for r in range(3) for c in range(3) if (r if horizontal else c) != lane]
    names = _distinct_names(rng, rng.randint(1, 3))
    cells = [cell, *rng.sample(free, len(names) - 1)]
    return ClipScene(tuple(_thing(rng, *name, *cell, crowd=4) for name, cell in zip(names, cells)), direction)


def pair(rng: random.Random) -> PairScene:
    """Two pictures of one to three objects: with one change or none or, one in three, unrelated."""
    first = shapes(rng, 1, 3)
    kind = rng.choice(("gone", "new", "became", "nothing", "other", "other"))
    if kind == "other":
        return PairScene(first, shapes(rng, 1, 3), None)
    things = list(first.things)
    victim = rng.randrange(len(things))
    thing = things[victim]
    if kind == "gone":
        del things[victim]
        return PairScene(first, ShapesScene(tuple(things)), f"{thing.name} is gone")
    if kind == "new":
        del things[victim]
        return PairScene(ShapesScene(tuple(things)), first, f"{thing.name} is new")
    if kind == "became":
        names = {other.name for other in things}
        color = rng.choice([c for c in COLOR_NAMES if f"{c} {thing.shape}" not in names])
        things[victim] = replace(thing, color=color)
        return PairScene(first, ShapesScene(tuple(things)), f"{thing.name} became {color}")
    return PairScene(first, first, "nothing changed at all")


def _things(rng: random.Random, count: int) -> tuple[Thing, ...]:
    cells = rng.sample([(r, c) for r in range(3) for c in range(3)], count)
    names = _distinct_names(rng, count)
    things = [_thing(rng, *name, *cell, crowd=count) for name, cell in zip(names, cells)]
    return tuple(sorted(things, key=lambda thing: (thing.row, thing.column)))


def _distinct_names(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Distinct (colour, shape) pairs; they often share a colour or a shape, so that both matter."""
    names: list[tuple[str, str]] = []
    while len(names) < count:
        color, shape = rng.choice(COLOR_NAMES), rng.choice(SHAPES)
        if names and rng.random() < 0.3:
            color = rng.choice(names)[0]
        elif names and rng.random() < 0.4:
            shape = rng.choice(names)[1]
        if (color, shape) not in names:
            names.append((color, shape))
    return names


def _thing(rng: random.Random, color: str, shape: str, row: int, column: int, crowd: int) -> Thing:
    size = rng.choice(SIZES)
    radius = rng.uniform(0.085, 0.1) if size == "small" else rng.uniform(0.135, 0.155)
    if crowd <= 3:
        radius *= 1.08
    spread = max(0.0, 0.155 - radius)
    x = (column + 0.5) / 3 + rng.uniform(-spread, spread)
    y = (row + 0.5) / 3 + rng.uniform(-spread, spread)
    return Thing(color, shape, size, row, column, x, y, radius)


def _moved(thing: Thing, dx: int, dy: int) -> Thing:
    x, y = thing.x + dx * 0.22, thing.y + dy * 0.22
    return replace(thing, x=x, y=y, row=_third(y), column=_third(x))


def _third(share: float) -> int:
    return min(2, max(0, int(share * 3)))
