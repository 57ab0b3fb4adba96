"""Recorded replies to text alone: the recorded commits are put on the canvas step by step, and the model must choose
the same ids at the committed positions with the same confidences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CHECKPOINTS, CONFORMANCE, denoiser, ints, settings

from lladav_models.checkpoint import Checkpoint
from lladav_models.denoiser import Denoiser
from lladav_models.work import Cache, CanvasLayout, Features, Forward, Full, Step, StepResult, Window

Golden = dict[str, Any]


@cache
def text_cases(name: str) -> dict[str, Golden]:
    cases: dict[str, Golden] = {}
    for file in sorted((CONFORMANCE / "cases" / name).glob("*.json")):
        golden = json.loads(file.read_text())
        if not golden["request"].get("images") and "frames" not in golden["request"] and not golden["fragile"]:
            cases[file.stem] = golden
    return cases


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_chooses_the_recorded_ids(name: str, broken_copy: Callable[[str, Callable[[Path], None]], Path]) -> None:
    for case, golden in text_cases(name).items():
        changes = golden["request"].get("config")
        engine = denoiser(name) if changes is None else _with_config(name, changes, broken_copy)
        try:
            replay(engine, golden)
        except AssertionError as e:
            raise AssertionError(f"{name}/{case}: {e}") from e


@pytest.mark.parametrize("name", CHECKPOINTS)
@pytest.mark.parametrize(("precision", "changed_most"), [("bf16", 0.05), ("fp16", 0.01)])
def test_narrow_numbers_seldom_choose_another_id(name: str, precision: str, changed_most: float) -> None:
    changed = total = 0
    for case, golden in text_cases(name).items():
        if "config" not in golden["request"] and case.startswith(("text-", "prefix-", "interval-", "cfg-")):
            for result, ids, _ in recorded_steps(denoiser(name, precision), golden):
                assert np.all((result.confidences >= 0) & (result.confidences <= 1.001))
                changed += int(np.sum(result.candidates != ids))
                total += len(ids)
    print(f"{name} {precision}: {changed} of {total} ids changed")
    assert 100 < total and changed <= changed_most * total


def replay(engine: Denoiser, golden: Golden) -> None:
    """Ids and confidences are those recorded; with a random order the latter are none of the model's."""
    for result, ids, confidences in recorded_steps(engine, golden):
        np.testing.assert_array_equal(result.candidates, ids)
        if golden["request"].get("remasking") != "random":
            np.testing.assert_allclose(result.confidences, confidences, rtol=1e-4)


def recorded_steps(engine: Denoiser, golden: Golden) -> Iterator[tuple[StepResult, Any, Any]]:
    """Runs each step from the recorded canvas; gives the result, and the recorded ids and confidences."""
    request, expect = golden["request"], golden["expect"]
    prompt, suffix, generated = ints(expect["input_ids"]), ints(expect["suffix_ids"]), request["gen_length"]
    guidance = request.get("cfg_scale") or 0.0
    layout = _layout(request, len(prompt), generated, len(suffix))
    canvas = engine.open(layout)
    canvas.write_ids(0, prompt)
    canvas.write_ids(len(prompt) + generated, suffix)
    written: tuple[Any, Any] = (ints([]), ints([]))
    for step, forward in zip(expect["steps"], _forwards(request, expect, layout)):
        order = np.argsort(step["positions"])
        positions = ints(ints(step["positions"])[order] + len(prompt))
        ids, confidences = ints(step["ids"])[order], np.array(step["confidences"])[order]
        work = Step(positions, forward, *written, guidance=guidance)
        engine.require_fits(canvas, work)
        yield engine.run([(canvas, work)])[0], ids, confidences
        written = (positions, ids)


def _layout(request: Golden, prompt: int, generated: int, suffix: int) -> CanvasLayout:
    guided = (request.get("cfg_scale") or 0) > 0
    match request.get("cache"):
        case None:
            return CanvasLayout(prompt, generated, suffix, guided)
        case {"kind": "prefix"}:
            return CanvasLayout(prompt, generated, suffix, guided, Cache.KEYS_AND_VALUES)
        case {"kind": "interval", "ratio": ratio}:
            count = int((generated + suffix) * ratio)
            return CanvasLayout(prompt, generated, suffix, guided, Cache.FEATURES, count)
        case other:
            raise AssertionError(other)


def _forwards(request: Golden, expect: Golden, layout: CanvasLayout) -> Iterator[Forward]:
    """What each step computes: with a prefix cache the rows that the recorded calls had; with intervals by counting."""
    step = 0
    for _, rows, count in expect["forward_shapes"]:
        for _ in range(count):
            if layout.cache is Cache.FEATURES:
                cache = request["cache"]
                prompt, generated = step % cache["prompt_interval"] == 0, step % cache["gen_interval"] == 0
                yield Full() if prompt and generated else Features(prompt, generated)
            elif rows == layout.length:
                yield Full()
            else:
                yield Window(layout.length - rows, layout.length)
            step += 1


def _with_config(name: str, changes: Golden, copy: Callable[[str, Callable[[Path], None]], Path]) -> Denoiser:
    def change(directory: Path) -> None:
        config = json.loads((directory / "config.json").read_text())
        (directory / "config.json").write_text(json.dumps(config | changes))

    directory = copy(name, change)
    return Denoiser(Checkpoint(directory), settings(name))
