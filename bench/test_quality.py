"""The table of docs/quality.md: a row per setting, put where the page says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import quality

_FOUND: dict[str, Any] = {
    "accuracy": {"overall": 0.9375},
    "interval": {"overall": [0.9, 0.96]},
    "mean_seconds": 0.1234,
    "mean_forwards": 4.25,
}


def test_a_row_holds_short_and_long_replies_apart() -> None:
    row = quality.row(quality.Setting("steps", "half"), [_FOUND, {**_FOUND, "mean_forwards": 32.0}])
    half = "93.8 % | 90.0 to 96.0 | 0.123 |"
    assert row == f"| steps | half | {half} 4.2 | {half} 32.0 |"
    assert row.count("|") == quality.HEAD[0].count("|")


def test_the_page_says_how_many_questions_were_asked() -> None:
    assert "the same 190 short and 45 long questions" in quality.asked_of([{"questions": 190}, {"questions": 45}])


def test_the_table_goes_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "quality.md"
    page.write_text("before\n<!-- table: begin -->\nold\n<!-- table: end -->\nafter\n")
    monkeypatch.setattr(quality, "ROOT", tmp_path)
    quality.write(["| new |"])
    text = page.read_text()
    assert "old" not in text and "| new |\n<!-- table: end -->\nafter\n" in text and text.startswith("before\n")
