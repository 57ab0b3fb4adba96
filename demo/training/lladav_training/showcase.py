"""The pictures that `./lladav demo` shows: scenes chosen by hand, with no combination that is kept for the evaluation
and none that training draws pixel by pixel the same."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image

from .batches import draw_clip
from .drawing import draw
from .scenes import TILE, BarsScene, ClipScene, ShapesScene, SignScene, Thing

_RADIUS = {"small": 0.095, "large": 0.145}
_FRAME_MS = 400


def write_showcase(folder: Path) -> None:
    """Writes the pictures and the clip into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    before = ShapesScene((_thing("green", "star", "large", 0, 0), _thing("red", "square", "small", 2, 1)))
    after = ShapesScene((before.things[0],))
    moving = (_thing("red", "circle", "large", 1, 0), _thing("blue", "square", "large", 2, 2))
    pictures: dict[str, ShapesScene | BarsScene | SignScene] = {
        "shapes": ShapesScene(
            (
                _thing("red", "circle", "large", 0, 0),
                _thing("purple", "star", "small", 0, 2),
                _thing("blue", "square", "large", 1, 1),
                _thing("green", "diamond", "small", 2, 2),
            ),
            2 * TILE - 6,
            2 * TILE - 10,
        ),
        "crowd": ShapesScene(
            (
                _thing("yellow", "circle", "small", 0, 0),
                _thing("red", "triangle", "large", 0, 1),
                _thing("purple", "circle", "large", 1, 2),
                _thing("green", "cross", "small", 2, 0),
                _thing("black", "star", "large", 2, 1),
            )
        ),
        "chart": BarsScene(("blue", "red", "green", "orange"), (0.38, 0.6, 0.82, 0.27)),
        "sign": SignScene("train", "purple", 0.36),
        "pair-1": before,
        "pair-2": after,
        "trio": ShapesScene(
            (
                _thing("orange", "square", "large", 0, 2),
                _thing("blue", "circle", "small", 1, 0),
                _thing("red", "star", "large", 2, 1),
            )
        ),
    }
    for name, scene in pictures.items():
        assert not scene.unseen(), name
        draw(scene, random.Random(f"showcase/{name}/2")).image.save(folder / f"{name}.png", optimize=True)
    clip = ClipScene(moving, "right")
    assert not clip.unseen()
    frames = [
        drawing.image.quantize(64, dither=Image.Dither.NONE) for drawing in draw_clip(clip, random.Random("clip/2"))
    ]
    frames[0].save(folder / "clip.gif", save_all=True, append_images=frames[1:], duration=_FRAME_MS, loop=0)


def _thing(color: str, shape: str, size: str, row: int, column: int) -> Thing:
    return Thing(color, shape, size, row, column, (column + 0.5) / 3, (row + 0.5) / 3, _RADIUS[size])
