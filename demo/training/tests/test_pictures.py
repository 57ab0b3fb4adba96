"""Scenes, drawings, labels and tiles: what is said of a picture is what is drawn."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from lladav_training import scenes
from lladav_training.attributes import COLOR_NAMES, COLORS, SHAPES, held_out
from lladav_training.drawing import UNNAMED, draw
from lladav_training.images import NEWLINE, PATCHES, best_resolution, single_tile, tiled
from lladav_training.labels import ATTRIBUTES, GRID, patch_labels
from lladav_training.scenes import TILE


def test_the_same_seed_draws_the_same_picture() -> None:
    def drawn() -> bytes:
        rng = random.Random("picture")
        return draw(scenes.shapes(rng), rng).image.tobytes()

    assert drawn() == drawn()


@pytest.mark.parametrize("seed", range(40))
def test_every_object_is_drawn_in_its_colour_where_its_place_is(seed: int) -> None:
    rng = random.Random(seed)
    scene = scenes.shapes(rng, grid=(2, 1) if seed % 2 else None)
    drawing = draw(scene, rng)
    pixels = np.asarray(drawing.image, dtype=int)
    for number, thing in enumerate(scene.things, start=1):
        rows, columns = np.nonzero(drawing.owner == number)
        assert len(rows) > 50
        assert int(rows.mean() * 3 / scene.height) == thing.row
        assert int(columns.mean() * 3 / scene.width) == thing.column
        # The core of an object, where nothing is blended at the edges.
        mean = np.median(pixels[rows, columns], axis=0)
        nearest = min(COLOR_NAMES, key=lambda name: np.abs(mean - COLORS[name]).sum())
        assert nearest == thing.color


@pytest.mark.parametrize("seed", range(20))
def test_patch_labels_name_the_object_of_the_patch(seed: int) -> None:
    rng = random.Random(seed)
    scene = scenes.shapes(rng, least=1)
    labels = patch_labels(draw(scene, rng))
    assert labels.classes.shape == (GRID * GRID, len(ATTRIBUTES))
    names = {(1 + COLOR_NAMES.index(t.color), 1 + SHAPES.index(t.shape)) for t in scene.things}
    shown = {tuple(row[:2]) for row in labels.classes.tolist() if row[0]}
    assert shown == names
    centres = labels.classes[:, list(ATTRIBUTES).index("centre")].sum()
    assert 1 <= centres <= len(scene.things)
    assert 0 <= labels.outline.min() and labels.outline.max() <= 1


def test_trained_scenes_hold_no_combination_that_is_held_out() -> None:
    rng = random.Random(1)
    for _ in range(200):
        scene = scenes.trained(scenes.shapes, rng)
        assert isinstance(scene, scenes.ShapesScene)
        assert not any(held_out(thing.color, thing.shape) for thing in scene.things)


@pytest.mark.parametrize("draw_scene", [scenes.bars, scenes.sign, scenes.clip, scenes.pair])
def test_every_kind_of_scene_can_be_trained_and_held_out(draw_scene: scenes.Draw) -> None:
    rng = random.Random(2)
    drawn = [draw_scene(rng).unseen() for _ in range(300)]
    assert 0 < sum(drawn) < 200


def test_a_clip_moves_one_object_and_no_other() -> None:
    rng = random.Random(3)
    for _ in range(50):
        clip = scenes.clip(rng)
        first, *_, last = clip.frames()
        assert first.things[1:] == last.things[1:]
        dx, dy = last.things[0].x - first.things[0].x, last.things[0].y - first.things[0].y
        direction = ("right" if dx > 0 else "left") if abs(dx) > abs(dy) else ("down" if dy > 0 else "up")
        assert direction == clip.direction
        assert all(0.05 < thing.x < 0.95 and 0.05 < thing.y < 0.95 for thing in last.things)


def test_resolutions_are_chosen_as_the_public_code_chooses() -> None:
    assert best_resolution((TILE, TILE)) == (TILE, TILE)
    assert best_resolution((210, 105)) == (2 * TILE, TILE)
    assert best_resolution((105, 210)) == (TILE, 2 * TILE)
    assert best_resolution((220, 215)) == (2 * TILE, 2 * TILE)


@pytest.mark.parametrize("size", [(112, 112), (210, 105), (105, 210), (220, 215), (100, 112), (200, 130)])
def test_every_row_of_the_grid_ends_with_a_newline(size: tuple[int, int]) -> None:
    tiles = tiled(Image.new("RGB", size))
    grid = tiles.layout[PATCHES:]
    assert tiles.layout[:PATCHES] == tuple(range(PATCHES))
    assert grid[-1] == NEWLINE
    rows = grid.count(NEWLINE)
    assert len(grid) % rows == 0 and len(grid) // rows <= 2 * GRID + 1
    assert max(grid) < len(tiles.pixels) * PATCHES


def test_one_of_several_pictures_is_one_tile_and_one_newline() -> None:
    tiles = single_tile(Image.new("RGB", (60, 30), (255, 255, 255)))
    assert tiles.pixels.shape == (1, 3, TILE, TILE)
    assert tiles.layout == (*range(PATCHES), NEWLINE)
    assert tiles.pixels[0, :, 0, 0].tolist() == [127, 127, 127]


def test_a_colour_without_a_name_is_far_from_those_that_the_shape_is_kept_in() -> None:
    scene = scenes.trained(lambda rng: scenes.shapes(rng, 4, 4), random.Random(5))
    assert isinstance(scene, scenes.ShapesScene)
    drawing = draw(scene, random.Random(6), unnamed=1.0)
    assert {mark.color for mark in drawing.marks} == {UNNAMED}
    pixels = np.asarray(drawing.image).astype(int)
    for number, thing in enumerate(scene.things, start=1):
        painted = np.median(pixels[drawing.owner == number], axis=0)
        for name, color in COLORS.items():
            assert not held_out(name, thing.shape) or np.linalg.norm(painted - color) > 90
