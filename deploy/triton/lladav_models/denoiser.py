"""The language tower as the scheduler uses it: canvases, and steps of many of them in one forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from torch import Tensor

from .canvas import Canvas, PositionBytes
from .checkpoint import Weights
from .graphs import CudaRecorder, WindowGraphs
from .head import Head, HeadStep
from .llada import LayerListener, Llada, PackedForward, Track
from .settings import Settings
from .work import CanvasLayout, Floats, Full, Ints, Step, StepResult, require_fits


class DenoiserCanvas(Protocol):
    """A session's canvas as the scheduler sees it. Refusals change nothing."""

    @property
    def layout(self) -> CanvasLayout:
        """What it was opened with."""

    def write_ids(self, position: int, ids: Ints) -> None:
        """Writes tokens to consecutive positions; the mask id makes a position masked again."""

    def write_embeddings(self, position: int, rows: Floats) -> None:
        """Writes embeddings `(count, D)` to consecutive positions."""

    def bias_logits(self, ids: Ints, values: Floats) -> None:
        """Biases the candidates of every step from now on."""


class Denoiser:
    """Opens canvases and runs steps. For one thread."""

    def __init__(self, checkpoint: Weights, settings: Settings) -> None:
        """Loads the weights. Fails with LoadError."""
        self.model = Llada(checkpoint, settings)
        self._tokens = checkpoint.tokens
        self.head = Head(self.model, self._tokens.suppressed)
        self.window_graphs = WindowGraphs(self.model, CudaRecorder()) if settings.cuda_graphs else None
        self.position_bytes = PositionBytes(checkpoint.language, settings.dtype)

    @property
    def hidden_size(self) -> int:
        """D, the width of an embedding."""
        return self.model.config.hidden_size

    @property
    def vocabulary_size(self) -> int:
        """How many token ids exist, from 0."""
        return self._tokens.count

    def session_bytes(self, layout: CanvasLayout) -> int:
        """Returns the memory of a session."""
        return self.position_bytes.canvas(layout)

    def open(self, layout: CanvasLayout) -> Canvas:
        """Opens a canvas in which every position holds the mask."""
        return Canvas(layout, self.model.config, self.model.embedding, self._tokens.mask)

    def require_fits(self, canvas: Canvas, step: Step) -> None:
        """Refuses a step that this canvas cannot serve; to be called before `run`."""
        require_fits(step, canvas.layout, canvas.refreshed_sequences, self.vocabulary_size)

    def rows(self, canvas: Canvas, step: Step) -> int:
        """Returns how many rows a step computes, which is its cost."""
        return sum(track.count for track in _tracks(canvas, step, 0))

    def run(self, batch: Sequence[tuple[Canvas, Step]]) -> list[StepResult]:
        """Writes what changes with each step, runs all in one forward, and returns their results in that order.

        The steps must fit, and be of different canvases.
        """
        for canvas, step in batch:
            canvas.write_changes(step)
        residual, steps = self.forward(batch)
        results = self.head.choose(residual, steps)
        for canvas, step in batch:
            if isinstance(step.forward, Full):
                canvas.refreshed_sequences = 2 if step.guidance > 0 else 1
        return results

    def forward(
        self, batch: Sequence[tuple[Canvas, Step]], listener: LayerListener | None = None
    ) -> tuple[Tensor, list[HeadStep]]:
        """Runs the layers; returns the residual stream and the steps, ready for the head."""
        steps: list[HeadStep] = []
        row = 0
        for canvas, step in batch:
            tracks = _tracks(canvas, step, row)
            row += sum(track.count for track in tracks)
            steps.append(HeadStep(step, tracks))
        tracks = [track for step in steps for track in step.tracks]
        if self.window_graphs is not None and self.window_graphs.serves(tracks):
            return self.window_graphs.run(tracks), steps
        return PackedForward(self.model, tracks).run(listener), steps

    def warm_up(self) -> None:
        """Runs one small step, so that the first caller does not pay for pages not read and memory not yet taken."""
        canvas = self.open(CanvasLayout(1, 1))
        self.run([(canvas, Step(np.array([1], np.int32)))])


def _tracks(canvas: Canvas, step: Step, row: int) -> list[Track]:
    tracks = []
    for sequence in range(2 if step.guidance > 0 else 1):
        tracks.append(Track(canvas, sequence, step.forward, step.positions, row))
        row += tracks[-1].count
    return tracks
