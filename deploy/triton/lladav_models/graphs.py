"""CUDA graphs for steps that compute a window of a cached canvas: few rows, so that starting kernels one by one takes
longer than running them.

What lies between two attentions is recorded once per number of rows, in memory of its own; attention itself reads each
session's keys and values where they are, and runs between the recordings. NOT YET RUN ON A GPU: what the tests run is
the same code without recording. Off unless LLADAV_CUDA_GRAPHS is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .llada import Llada, Queries, Track, attend, keep, packed_inputs
from .work import Window

ROWS = (16, 32, 64, 128, 256, 512)
"""Numbers of rows that are recorded; a forward takes the least that holds it."""

Record = Callable[[Callable[[], None]], Callable[[], None]]
"""Returns what repeats a function's work on the same memory."""


def without_recording(work: Callable[[], None]) -> Callable[[], None]:
    """Repeats by calling."""
    return work


class CudaRecorder:
    """Records kernels. Recordings share what memory they need between, since one is replayed at a time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """Records once the libraries have chosen and prepared their kernels, which must not happen in a recording."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            work()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            work()
        replay: Callable[[], None] = graph.replay
        return replay


class WindowGraphs:
    """Forwards of windows of up to the largest of `ROWS`."""

    def __init__(self, model: Llada, record: Record) -> None:
        """Records everything; takes seconds."""
        self._segments = {rows: _Segments(model, rows, record) for rows in ROWS}

    def serves(self, tracks: Sequence[Track]) -> bool:
        """Returns whether these tracks can be run here."""
        return all(isinstance(t.forward, Window) for t in tracks) and sum(t.count for t in tracks) <= ROWS[-1]

    def run(self, tracks: Sequence[Track]) -> Tensor:
        """Returns the residual stream after the last layer, `(rows, D)`, in memory that the next run overwrites."""
        count = sum(track.count for track in tracks)
        return self._segments[min(rows for rows in ROWS if rows >= count)].run(tracks, count)


class _Segments:
    """The recordings for one number of rows. Rows behind those in use hold what was there before: no row of a matrix
    product or norm depends on another."""

    def __init__(self, model: Llada, rows: int, record: Record) -> None:
        self._model = model
        config = model.config

        def buffer(*shape: int, dtype: torch.dtype = model.dtype) -> Tensor:
            return torch.zeros((rows, *shape), dtype=dtype, device=model.device)

        self._residual = buffer(config.hidden_size, dtype=torch.float32)
        self._cosines, self._sines = (buffer(config.head_size // 2, dtype=torch.float32) for _ in range(2))
        self._q = buffer(config.heads, config.head_size)
        self._k, self._v = (buffer(config.key_value_heads, config.head_size) for _ in range(2))
        self._mixed = buffer(config.hidden_size)
        self._replays = [record(lambda i=index: self._segment(i)) for index in range(config.layers + 1)]  # type: ignore[misc]

    def run(self, tracks: Sequence[Track], count: int) -> Tensor:
        """Runs tracks of `count` rows."""
        inputs = packed_inputs(tracks)
        for buffer, given in zip((self._residual, self._cosines, self._sines), inputs):
            buffer[:count] = given
        planned = [Queries(track, range(track.start, track.end)) for track in tracks]
        for index in range(self._model.config.layers):
            self._replays[index]()
            for each in planned:
                keep(index, each, self._k, self._v)
            self._mixed[:count] = attend(index, planned, self._q, self._k, self._v)
        self._replays[-1]()
        return self._residual[:count]

    def _segment(self, index: int) -> None:
        """From the attention of one layer to that of the next."""
        layers = self._model.layers
        if index > 0:
            self._residual += layers[index - 1].output(self._mixed)
            self._residual += self._model.mlp(layers[index - 1], self._residual)
        if index < len(layers):
            projected = self._model.project(layers[index], self._residual, self._cosines, self._sines)
            for buffer, given in zip((self._q, self._k, self._v), projected):
                buffer.copy_(given)
