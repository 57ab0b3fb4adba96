"""Windows by recorded segments give what they give without, recording itself needs a GPU."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import checkpoint, denoiser, ints, settings

from lladav_models.denoiser import Denoiser
from lladav_models.graphs import WindowGraphs, without_recording
from lladav_models.llada import Track
from lladav_models.work import Cache, CanvasLayout, Full, Step, Window


@pytest.mark.parametrize("name", ["tiny-b", "tiny-d"])
def test_windows_by_segments_agree(name: str) -> None:
    recorded = Denoiser(checkpoint(name), settings(name))
    recorded.window_graphs = WindowGraphs(recorded.model, without_recording)
    results = [run(engine) for engine in (denoiser(name), recorded)]
    for plain, other in zip(*results):
        np.testing.assert_array_equal(plain.candidates, other.candidates)
        np.testing.assert_allclose(plain.confidences, other.confidences, atol=1e-5)


def run(engine: Denoiser) -> list[object]:
    canvases = []
    for prompt, guided in ((20, False), (33, True), (50, False)):
        layout = CanvasLayout(prompt, 24, 0, guided, Cache.KEYS_AND_VALUES, turns=ints(np.arange(prompt + 24) // 30))
        canvas = engine.open(layout)
        canvas.write_ids(0, ints(np.arange(prompt) * 7 % 300))
        canvases.append((prompt, guided, canvas))
    results: list[object] = []
    # First with other rows in the segments' memory, then with fewer than before.
    for size, count in ((24, 3), (8, 3), (8, 1)):
        batch = []
        for prompt, guided, canvas in canvases[:count]:
            positions = ints(range(prompt + 2, prompt + 7))
            engine.run([(canvas, Step(positions, Full(), guidance=1.0 * guided))])
            change = ints([prompt]), ints([size])
            batch.append((canvas, Step(positions, Window(prompt, prompt + size), *change, guidance=1.0 * guided)))
        results += engine.run(batch)
    return results


def test_only_windows_that_fit_are_served() -> None:
    graphs = WindowGraphs(denoiser("tiny-d").model, without_recording)
    canvas = denoiser("tiny-d").open(CanvasLayout(600, 24, cache=Cache.KEYS_AND_VALUES))
    asked = ints([610])
    assert graphs.serves([Track(canvas, 0, Window(600, 624), asked, 0)])
    largest = Track(canvas, 0, Window(112, 624), asked, 0)
    assert graphs.serves([largest])
    assert graphs.run([largest]).shape == (512, denoiser("tiny-d").hidden_size)
    assert not graphs.serves([Track(canvas, 0, Window(111, 624), asked, 0)])
    assert not graphs.serves([Track(canvas, 0, Full(), asked, 0)])
