"""The report of a run: its log as it was written, and two plots of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from .questions import CORE, FURTHER


def write_report(folder: Path, report: Path) -> None:
    """Copies `folder/log.jsonl` to `report` and draws `loss.svg` and `accuracy.svg` beside it."""
    import matplotlib

    matplotlib.use("svg")
    # The same log gives the same file.
    matplotlib.rcParams["svg.hashsalt"] = "report"
    report.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "log.jsonl", report / "log.jsonl")
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    _plot_loss(entries, report / "loss.svg")
    _plot_accuracy(entries, report / "accuracy.svg")


def _plot_loss(entries: list[dict[str, Any]], file: Path) -> None:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4))
    points = [(entry["seconds"] / 60, entry["loss"]) for entry in entries if "loss" in entry]
    axes.plot(*zip(*points), linewidth=0.8)
    axes.set(xlabel="minutes", ylabel="loss of the stage", yscale="log")
    _mark_stages(entries, axes)
    _save(figure, file)


def _plot_accuracy(entries: list[dict[str, Any]], file: Path) -> None:
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, 1, figsize=(9, 9), sharex=True)
    for axes, kinds in zip(panels, (CORE, FURTHER)):
        for i, kind in enumerate(kinds):
            points = [(e["seconds"] / 60, e["accuracy"][kind]) for e in entries if kind in e.get("accuracy", {})]
            if points:
                axes.plot(*zip(*points), marker=".", label=kind, color=plt.get_cmap("tab20")(i))
        axes.set(ylabel="replies right in one step", ylim=(0, 1.02))
        axes.legend(fontsize=7, ncols=2, loc="lower right")
        _mark_stages(entries, axes)
    panels[-1].set_xlabel("minutes")
    _save(figure, file)


def _mark_stages(entries: list[dict[str, Any]], axes: Any) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry["stage"] not in seen:
            seen.add(entry["stage"])
            axes.axvline(entry["seconds"] / 60, color="grey", linewidth=0.5)
            axes.annotate(
                entry["stage"], (entry["seconds"] / 60, 1), xycoords=("data", "axes fraction"),
                rotation=90, fontsize=6, va="top",
            )  # fmt: skip


def _save(figure: Any, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
