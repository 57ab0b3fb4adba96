"""Candidates, confidences, certainties and draws against their definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import checkpoint, denoiser, ints

from lladav_models.head import draw
from lladav_models.work import CanvasLayout, Certainty, Full, Step, StepResult

NAME = "tiny-b"


def run(seven: float = 12.0, nine: float = -math.inf, **changes: object) -> tuple[StepResult, torch.Tensor]:
    """Runs a step with a bias of ids 7 and 9; returns its result and its probabilities, `(positions, V)`."""
    engine = denoiser(NAME)
    canvas = engine.open(CanvasLayout(30, 10, guided="guidance" in changes))
    canvas.write_ids(0, ints(np.arange(30) * 11 % 400))
    canvas.bias_logits(ints([7, 9]), np.array([seven, nine], np.float32))
    step = Step(ints(range(30, 40)), Full(), **changes)  # type: ignore[arg-type]
    residual, (head_step,) = engine.forward([(canvas, step)])
    logits = engine.head.logits(residual, engine.head.asked(head_step)).double()
    assert torch.isneginf(logits[:, list(checkpoint(NAME).tokens.suppressed)]).all()
    return engine.run([(canvas, step)])[0], logits.softmax(-1)


@pytest.mark.parametrize("certainty", list(Certainty))
@pytest.mark.parametrize("changes", [{}, {"guidance": 1.5}, {"temperature": 8.0, "uniforms": np.linspace(0, 0.99, 10)}])
def test_results_are_as_defined(certainty: Certainty, changes: dict[str, object]) -> None:
    result, p = run(certainty=certainty, **changes)
    candidates = torch.from_numpy(result.candidates).long()
    if "temperature" in changes:
        assert len(set(result.candidates.tolist())) > 3
    else:
        assert torch.equal(candidates, p.argmax(-1))
    chosen = p.gather(-1, candidates.unsqueeze(-1)).squeeze(-1)
    two = p.topk(2, -1).values
    wanted = {
        Certainty.CONFIDENCE: chosen,
        Certainty.NEGATIVE_ENTROPY: torch.special.xlogy(p, p).sum(-1),
        Certainty.MARGIN: two[:, 0] - two[:, 1],
    }[certainty]
    np.testing.assert_allclose(result.confidences, chosen, rtol=1e-6)
    np.testing.assert_allclose(result.certainties, wanted, rtol=1e-6)


def test_a_bias_is_added_after_guidance() -> None:
    _, biased = run(guidance=1.5)
    _, plain = run(12.0, 0.0, guidance=1.5)
    _, more = run(13.0, 0.0, guidance=1.5)
    odds = (more[:, 7] / more[:, 20]) / (plain[:, 7] / plain[:, 20])
    np.testing.assert_allclose(odds, math.e, rtol=1e-5)
    assert (biased[:, 9] == 0).all() and (plain[:, 9] > 0).all()


@pytest.mark.parametrize("temperature", [0.05, 1.0, 3.0, 1e9])
def test_draws_agree_with_the_definition(temperature: float) -> None:
    random = np.random.default_rng(3)
    logits = (8 * random.normal(size=5001)).astype(np.float32)
    logits[5::97] = -np.inf
    for uniform in (0.0, random.random(), random.random(), math.nextafter(1.0, 0.0)):
        drawn = draw(torch.from_numpy(logits).unsqueeze(0), [temperature], [uniform]).item()
        assert drawn == by_definition(logits, temperature, uniform)


def by_definition(logits: np.ndarray[tuple[int, ...], np.dtype[np.float32]], temperature: float, uniform: float) -> int:
    most = float(logits.max())
    weights = [int(math.exp((float(logit) - most) / temperature) * 2.0**40) for logit in logits]
    target = int(Fraction(uniform) * sum(weights))
    running = 0
    for index, weight in enumerate(weights):
        running += weight
        if running > target:
            return index
    raise AssertionError("no weight")


def test_a_total_that_is_reached_is_not_exceeded() -> None:
    equal = torch.zeros(1, 2)
    assert draw(equal, [1.0], [math.nextafter(0.5, 0.0)]).item() == 0
    assert draw(equal, [1.0], [0.5]).item() == 1


@pytest.mark.parametrize("temperature", [5e-324, 1.0, 1.7e308])
def test_a_suppressed_id_is_never_drawn(temperature: float) -> None:
    logits = torch.tensor([[-math.inf, -1e30, 3.0, -math.inf]])
    assert draw(logits, [temperature], [0.0]).item() in (1, 2)
    assert draw(logits, [temperature], [math.nextafter(1.0, 0.0)]).item() == 2


def test_nothing_to_draw_is_no_crash() -> None:
    assert draw(torch.full((1, 3), -math.inf), [1.0], [0.5]).item() == 2


def test_weights_that_are_no_numbers_show_in_their_own_canvas_alone() -> None:
    engine = denoiser(NAME)
    broken, whole = (engine.open(CanvasLayout(4, 4)) for _ in range(2))
    broken.write_embeddings(0, np.full((4, engine.hidden_size), np.nan, np.float32))
    step = Step(ints([5]), temperature=1.0, uniforms=np.array([0.5]))
    bad, good = engine.run([(broken, step), (whole, step)])
    assert np.isnan(bad.confidences).all() and np.isfinite(good.confidences).all()
