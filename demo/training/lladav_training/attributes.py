"""The words that pictures are made of: one token each, so that an attribute has the same length in every reply."""

from __future__ import annotations

import zlib

Rgb = tuple[int, int, int]

COLORS: dict[str, Rgb] = {
    "red": (214, 40, 40),
    "orange": (244, 140, 30),
    "yellow": (238, 214, 40),
    "green": (46, 160, 67),
    "blue": (40, 90, 214),
    "purple": (140, 60, 180),
    "pink": (244, 130, 190),
    "black": (30, 30, 34),
}
SHAPES = ("circle", "square", "triangle", "star", "cross", "diamond")
SIZES = ("small", "large")
ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "center", "right")
DIRECTIONS = ("left", "right", "up", "down")
RANKS = ("highest", "second", "third", "fourth", "lowest")
SIGN_WORDS = (
    "apple", "bird", "book", "boat", "bread", "cake", "cat", "chair", "cloud", "cup",
    "dog", "door", "fish", "flag", "fork", "frog", "glass", "hand", "hat", "horse",
    "house", "key", "lamp", "leaf", "milk", "moon", "mouse", "park", "rain", "ring",
    "road", "rose", "sand", "ship", "snow", "sun", "table", "train", "tree", "wind",
)  # fmt: skip
COLOR_NAMES = tuple(COLORS)
OBJECTS_MAX = 6
SIGN_DIGITS_MAX = 3
FRAMES = 4

_HELD_OUT_ONE_IN = 12


def held_out(*attributes: str | int) -> bool:
    """Whether pictures with this combination of attributes are kept for the evaluation and never trained on.

    A fixed hash decides, about one combination in twelve, so nobody chooses which ones are hard.
    """
    return zlib.crc32("/".join(map(str, attributes)).encode()) % _HELD_OUT_ONE_IN == 0
