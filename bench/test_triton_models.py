"""The measurement itself: what it counts, what its sampler commits, and that the small form runs through on a CPU."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "deploy" / "triton"))

import cost
import report
from random_weights import SIZES
from sampler import Unmasking, factor, most_confident

BENCH = Path(__file__).resolve().parent


def test_every_figure_of_the_small_form_is_positive_and_finite() -> None:
    options = ("--device=cpu", "--runs=1", "--seconds=0.1", "--peak-tflops=1", "--memory-tbps=1", "--json")
    run = subprocess.run([sys.executable, BENCH / "triton_models.py", *options], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "### Forwards, without scheduler" in run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == 1
    figures = json.loads(lines[0])
    assert {(each["kind"], each["streams"]) for each in figures["replies"]} == {
        (kind, streams) for kind in ("exact", "prefix, refresh 4", "prefix, refresh 32, factor 1") for streams in (1, 8)
    }
    checked = list(_numbers(figures))
    assert len(checked) > 100
    for path, value in checked:
        assert math.isfinite(value) and value > 0, f"{path}: {value}"


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, (int, float)):
        yield path, value
    elif isinstance(value, (dict, list)):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(part, f"{path}/{key}")


def test_counts_the_published_model_as_its_formula_does() -> None:
    language = SIZES["published"].language
    assert cost.row_matrices(language) == pytest.approx(13.96e9, rel=1e-3)
    assert cost.weight_bytes(language, 126464, 2) == pytest.approx(15e9, rel=1e-2)
    window = cost.forward(language, 126464, 2, cost.Rows(128, 128, 32, 3815, 32, reads_kept=True))
    assert window.formula == pytest.approx(13.96e9 * 128 + 1.036e9 * 32 + 524288 * 128 * 3815, rel=1e-3)
    assert window.bytes - cost.weight_bytes(language, 126464, 2) == 512 * 1024 * 3815
    # Of the last of 32 layers, 96 of 128 rows need no more than keys and values.
    assert 1 - 96 / 128 / 32 < window.operations / window.formula < 1


def test_factor_commits_what_the_rule_says() -> None:
    rules = json.loads((BENCH.parent / "conformance" / "rules.json").read_text())["factor"]
    assert rules
    for rule in rules:
        chosen = factor(rule["factor"])(np.array(rule["confidences"]))
        assert len(chosen) == rule["committed"], rule


def test_commits_the_most_confident_and_leaves_the_rest_masked() -> None:
    unmasking = Unmasking(10, 14, most_confident(2))
    committed = unmasking.commit(np.array([5, 6, 7, 8], np.int32), np.array([0.5, 0.2, 0.5, 0.5], np.float32))
    assert committed == 2
    assert [part.tolist() for part in unmasking.written] == [[10, 12], [5, 7]]
    assert unmasking.masked.tolist() == [11, 13]


def test_bars_hold_figures_against_what_is_wanted() -> None:
    once = report.Spread.of([0.1])
    out = io.StringIO()
    shown = report.Report(report.CardLimits(tflops=790, tbps=4.8), out)
    full = report.ForwardFigure("full forward", "no", 1, 3815, 3815, 128, once, once, int(61e12), int(62e12), 1, 7e14)
    cached = report.ForwardFigure("step of prefix", "yes", 1, 128, 3815, 128, once, once, 1, 1, int(0.2e12), 7e14)
    shown.forwards("Forwards", [full, cached])
    replies = report.RepliesFigure(
        "prefix, refresh 32, factor 1", "yes", 1, 3687, 128, 3, 128, 127, 127, report.Spread.of([120, 99, 130]),
        step=once, forward=once, policy=once, around=once, around_share=0.2, peak_bytes=1,
    )  # fmt: skip
    shown.replies("Replies", [replies])
    shown.bars()
    assert out.getvalue().split("### Bars")[1].splitlines()[4:8] == [
        "| full forward, 1 session(s), graphs no, of arithmetic | 77.2 % | >= 60 % | yes |",
        "| step of prefix, 1 session(s), graphs yes, of memory | 41.7 % | >= 50 % | NO |",
        "| prefix, refresh 32, factor 1, 1 stream(s), graphs yes, tokens/s | 120 | >= 100 | yes |",
        "| prefix, refresh 32, factor 1, 1 stream(s), graphs yes, everything around a step | 20 % | <= 10 % | NO |",
    ]
