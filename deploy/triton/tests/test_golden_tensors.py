"""The three networks against tensors that the public code computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import CHECKPOINTS, assert_close, checkpoint, denoiser, golden, ints, settings

from lladav_models.head import draw
from lladav_models.projector import Projector
from lladav_models.siglip2 import Siglip2
from lladav_models.work import CanvasLayout, Step


# The golden file of tiny-a holds the first rows of its pixels alone.
@pytest.mark.parametrize("name", ["tiny-b", "tiny-c", "tiny-d"])
def test_vision_tower_agrees(name: str) -> None:
    _, tensors = golden(f"{name}-image")
    assert_close(Siglip2(checkpoint(name), settings(name)).encode(tensors["pixels"]), tensors["vision"])


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_projector_agrees(name: str) -> None:
    _, tensors = golden(f"{name}-image")
    projector = Projector(checkpoint(name), settings(name))
    assert_close(projector.project(tensors["vision"].flatten(0, 1)), tensors["projector"].flatten(0, 1))
    assert projector.image_newline.shape == (projector.output_width,)


# The golden file tiny-a-image holds a selection of the rows.
@pytest.mark.parametrize(
    "file", ["tiny-a-text", "tiny-b-text", "tiny-c-text", "tiny-d-text", "tiny-b-image", "tiny-c-image", "tiny-d-image"]
)
def test_every_layer_agrees(file: str) -> None:
    name, _ = file.rsplit("-", 1)
    _, tensors = golden(file)
    engine = denoiser(name)
    embeddings = tensors["canvas_embeddings"]
    canvas = engine.open(CanvasLayout(len(embeddings) - 16, 16))
    canvas.write_embeddings(0, embeddings.numpy())

    def compare(layer: int, residual: torch.Tensor) -> None:
        assert_close(residual, tensors[f"hidden_{layer}"])

    everywhere = Step(np.arange(len(embeddings), dtype=np.int32))
    residual, (step,) = engine.forward([(canvas, everywhere)], compare)
    assert_close(engine.model.norm(residual, engine.model.final_norm), tensors["final_norm"])
    assert_close(engine.head.plain_logits(residual[-16:]), tensors["logits"])
    suppressed = engine.head.logits(residual, engine.head.asked(step))[-16:]
    ids = list(checkpoint(name).tokens.suppressed)
    assert torch.isneginf(suppressed[:, ids]).all() and torch.isfinite(suppressed).sum() == suppressed.numel() - 64


@pytest.mark.parametrize("name", ["tiny-a", "tiny-b"])
@pytest.mark.parametrize("causal", [True, False])
def test_dialogue_causal_attention_agrees(name: str, causal: bool) -> None:
    _, tensors = golden(f"training-{name}")
    ids, turns = ints(tensors["input_ids"]), ints(tensors["conversation_ids"])
    engine = denoiser(name)
    canvas = engine.open(CanvasLayout(len(ids) - 1, 1, turns=turns if causal else None))
    canvas.write_ids(0, ids)
    residual, _ = engine.forward([(canvas, Step(np.arange(len(ids), dtype=np.int32)))])
    expected = tensors["logits" if causal else "logits_full_attention"]
    assert_close(engine.head.plain_logits(residual)[:, :128], expected)


def test_draws_follow_the_recorded_inverse_cdf() -> None:
    described, tensors = golden("sampling")
    logits = tensors["logits"]
    for recorded in described["inverse_cdf"]:
        # Integer weights floor 2^-40 away, so only draws near a boundary may differ.
        if recorded["margin"] < 1e-8:
            continue
        row = logits[recorded["row"]].unsqueeze(0)
        drawn = draw(row, [recorded["temperature"]], [recorded["uniform"]])
        assert drawn.item() == recorded["id"], recorded


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1.0, 1.5])
def test_draws_are_distributed_as_softmax(temperature: float) -> None:
    _, tensors = golden("sampling")
    count = 4096
    logits = tensors["logits"][1].expand(count, -1)
    drawn = draw(logits, [temperature] * count, [i / count for i in range(count)])
    frequency = torch.bincount(drawn, minlength=64) / count
    assert (frequency - tensors[f"p_{temperature}"][1]).abs().max() < 2 / count
