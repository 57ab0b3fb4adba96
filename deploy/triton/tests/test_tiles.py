"""Requests of tiles share a run and get their own results."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import checkpoint, golden, settings

from lladav_models import tiles
from lladav_models.errors import Refusal
from lladav_models.projector import Projector
from lladav_models.siglip2 import Siglip2
from lladav_models.work import Floats


def test_tiles_are_encoded_together_and_wrong_ones_refused_alone() -> None:
    _, tensors = golden("tiny-b-image")
    pixels, expected = tensors["pixels"].numpy(), tensors["vision"].numpy()
    tower = Siglip2(checkpoint("tiny-b"), settings("tiny-b"))
    requests: list[Floats] = [pixels[:2], np.zeros((1, 3, 28, 28), np.float32), pixels[2:]]
    first, wrong, second = tiles.encode(tower, requests)
    assert str(wrong) == "INVALID: PIXELS: shape [3, 28, 28] (expected: [3, 56, 56])"
    for encoded, wanted in ((first, expected[:2]), (second, expected[2:])):
        assert not isinstance(encoded, Refusal)
        np.testing.assert_allclose(encoded, wanted, atol=1e-4 * np.abs(expected).max())


def test_requests_of_different_rows_are_projected_together() -> None:
    _, tensors = golden("tiny-b-image")
    features, expected = tensors["vision"].numpy(), tensors["projector"].numpy()
    projector = Projector(checkpoint("tiny-b"), settings("tiny-b"))
    nothing = np.zeros((1, 2, 0), np.float32)
    wrong_too = np.zeros((1, 2, 7), np.float32)
    several, few, wrong, empty = tiles.project(projector, [features, features[:1, 3:5], wrong_too, nothing])
    assert str(empty) == "INVALID: FEATURES: shape [0] (expected: [40])"
    assert str(wrong) == "INVALID: FEATURES: shape [7] (expected: [40])"
    assert not isinstance(several, Refusal) and not isinstance(few, Refusal)
    np.testing.assert_allclose(several, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(few, expected[:1, 3:5], atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_but_wrong_requests_runs_nothing(count: int) -> None:
    tower = Siglip2(checkpoint("tiny-b"), settings("tiny-b"))
    wrong: list[Floats] = [np.zeros((1, 1, 1, 1), np.float32)] * count
    assert [str(each)[:7] for each in tiles.encode(tower, wrong)] == ["INVALID"] * count
