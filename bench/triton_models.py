"""Measures the PyTorch models of `deploy/triton` without Triton: a random model of the published sizes (or a small one)
is made on the device, and driven by the scheduler that serves Triton. `python bench/triton_models.py --help`."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "deploy" / "triton"))

from lladav_models.denoiser import Denoiser, DenoiserCanvas
from lladav_models.graphs import ROWS, CudaRecorder, WindowGraphs, without_recording
from lladav_models.projector import Projector
from lladav_models.scheduler import Scheduler
from lladav_models.settings import Limits, Settings
from lladav_models.siglip2 import Siglip2
from lladav_models.work import Cache, CanvasLayout, Features, Floats, Forward, Full, Step, Window

import cost
import report
from random_weights import SIZES, RandomWeights, Sizes
from report import CardLimits, ForwardFigure, PictureFigure, RepliesFigure, Report, Spread
from sampler import factor, most_confident
from streams import Kind, Prompt, Replies, Streams, random_prompts

# TFLOP/s in bf16 that large products reach, and TB/s of memory, by what the device's name contains.
_KNOWN_LIMITS = {"H200": (790.0, 4.8)}
_STREAMS = 8
_WARM_UPS = 2
_REPLIES = 3
_STOP_SECONDS = 10

KINDS = (
    Kind("exact", 1, most_confident(1)),
    Kind("prefix, refresh 4", 4, most_confident(1)),
    Kind("prefix, refresh 32, factor 1", 32, factor(1.0)),
)


@dataclass(frozen=True)
class Options:
    """What is measured and how. `runs`: of each forward. `seconds`: after which a kind of replies is ended."""

    sizes: str
    precision: str
    device: torch.device
    limits: CardLimits
    runs: int
    seconds: float

    @staticmethod
    def read(arguments: argparse.Namespace) -> Options:
        """Fills in what depends on the device. Ends the program where PyTorch finds no GPU and one was asked for."""
        if arguments.device == "cuda" and not torch.cuda.is_available():
            sys.exit("--device: cuda (expected: cpu or auto, PyTorch finds no usable GPU)")
        on_cuda = arguments.device != "cpu" and torch.cuda.is_available()
        name = torch.cuda.get_device_name(0) if on_cuda else ""
        tflops, tbps = next((limits for part, limits in _KNOWN_LIMITS.items() if part in name), (None, None))
        precision = arguments.precision or ("bf16" if on_cuda else "fp32")
        if precision != "bf16":
            tflops = None
        return Options(
            arguments.sizes or ("published" if on_cuda else "small"),
            precision,
            torch.device("cuda", 0) if on_cuda else torch.device("cpu"),
            CardLimits(arguments.peak_tflops or tflops, arguments.memory_tbps or tbps),
            arguments.runs or (10 if on_cuda else 5),
            arguments.seconds or (20.0 if on_cuda else 1.0),
        )


class Bench:
    """The three networks over random weights, and what is measured of them."""

    def __init__(self, options: Options) -> None:
        """Makes the weights on the device."""
        self.options, self.device = options, options.device
        self.sizes: Sizes = SIZES[options.sizes]
        settings = Settings(Path(), options.precision, options.device)
        self.itemsize = settings.dtype.itemsize
        weights = RandomWeights(self.sizes, settings.dtype, options.device)
        self.tower, self.merger = Siglip2(weights, settings), Projector(weights, settings)
        self.engine = Denoiser(weights, settings)
        self.engine.warm_up()
        self.limits = Limits.read(options.device, {})

    def pictures(self) -> tuple[list[PictureFigure], Floats]:
        """Measures vision tower and projector on one picture; returns its embeddings too, `(positions, D)`.

        Merging is not done here: the first of the embeddings stand in for the merged ones.
        """
        sizes, side = self.sizes, self.sizes.vision.image_size
        pixels = torch.rand((sizes.tiles, 3, side, side), generator=torch.Generator().manual_seed(1)) * 2 - 1
        pixels = pixels.to(self.device)
        features = self.tower.encode(pixels).flatten(0, 1)
        language, vision = sizes.language, sizes.vision
        figures = [
            self._picture("vision, all tiles", len(features), cost.vision(vision, sizes.tiles),
                          lambda: self.tower.encode(pixels)),
            self._picture("projector, their features", len(features), cost.projector(language, vision, sizes.tiles),
                          lambda: self.merger.project(features)),
        ]  # fmt: skip
        embedded: Floats = self.merger.project(features)[: sizes.picture_positions].cpu().numpy()
        return figures, embedded

    def forward(
        self,
        name: str,
        prompt: Prompt,
        layout: CanvasLayout,
        forward: Forward,
        rows: cost.Rows,
        sessions: int = 1,
        graphs: str = "no",
    ) -> ForwardFigure:
        """Measures one kind of forward, without scheduler."""
        canvases = [self.engine.open(layout) for _ in range(sessions)]
        positions = np.arange(prompt.length, prompt.length + rows.asked, dtype=np.int32)
        for canvas in canvases:
            canvas.write_embeddings(0, prompt.picture)
            canvas.write_ids(len(prompt.picture), prompt.text)
        self.engine.run([(canvas, Step(positions)) for canvas in canvases])
        batch = [(canvas, Step(positions, forward)) for canvas in canvases]
        whole = self._timed(lambda: self.engine.run(batch))
        residual, steps = self.engine.forward(batch)
        head = self._timed(lambda: self.engine.head.choose(residual, steps))
        language, vocabulary = self.sizes.language, self.engine.vocabulary_size
        weights = cost.weight_bytes(language, vocabulary, self.itemsize)
        needed = cost.forward(language, vocabulary, self.itemsize, rows).times(sessions, weights)
        return ForwardFigure(
            name, graphs, sessions, rows.inner, rows.positions, rows.asked, whole, head,
            operations=needed.operations,
            formula=needed.formula if rows.keyed == rows.inner else None,
            bytes=needed.bytes,
            product_rate=self._product_rate(rows.inner * sessions),
        )  # fmt: skip

    def forwards(self, prompt: Prompt) -> Iterator[ForwardFigure]:
        """Measures each kind of forward that is not a window of the whole reply."""
        n, p, reply = self.sizes.length, self.sizes.prompt, self.sizes.reply
        packed = max(1, min(_STREAMS, self.limits.batch_rows_max // n))
        plain, kept = CanvasLayout(p, reply), CanvasLayout(p, reply, cache=Cache.KEYS_AND_VALUES)
        transfers = reply // 4
        features = CanvasLayout(p, reply, cache=Cache.FEATURES, transfer_count=transfers)
        half = reply // 2
        whole = cost.Rows(n, n, reply, n, reply, reads_kept=False)
        yield self.forward("full forward", prompt, plain, Full(), whole)
        if packed > 1:
            yield self.forward("full forward", prompt, plain, Full(), whole, packed)
        yield self.forward("prefill: full, keys and values kept", prompt, kept, Full(), whole)
        yield self.forward("step of dual, half the reply", prompt, kept, Window(p, p + half),
                           cost.Rows(half, half, half, n, half, reads_kept=True))  # fmt: skip
        yield self.forward("step of interval, reply refreshed", prompt, features, Features(False, True),
                           cost.Rows(reply, reply, reply, n, reply, reads_kept=True))  # fmt: skip
        yield self.forward("step of interval, a quarter transferred", prompt, features, Features(False, False),
                           cost.Rows(reply, transfers, transfers, n, reply, reads_kept=True))  # fmt: skip

    def windows(self, prompt: Prompt, graphs: str) -> Iterator[ForwardFigure]:
        """Measures steps that compute the whole reply against what is kept, as `prefix` does."""
        p, reply, n = self.sizes.prompt, self.sizes.reply, self.sizes.length
        layout = CanvasLayout(p, reply, cache=Cache.KEYS_AND_VALUES)
        for sessions, asked in ((1, reply), (1, 1), (_STREAMS, reply)):
            if not self._serves(sessions):
                continue
            rows = cost.Rows(reply, reply, asked, n, asked, reads_kept=True)
            name = "step of prefix" + (", one position left" if asked == 1 else "")
            yield self.forward(name, prompt, layout, Window(p, p + reply), rows, sessions, graphs)

    def replies(self, picture: Floats, kinds: tuple[Kind, ...], graphs: str) -> Iterator[RepliesFigure]:
        """Measures replies through the scheduler, one stream and eight."""
        with self._scheduler() as scheduler:
            for kind in kinds:
                for count in filter(self._serves, (1, _STREAMS)):
                    texts = self.sizes.text_positions
                    prompts = random_prompts(picture, texts, self.engine.vocabulary_size, count)
                    streams = Streams(scheduler, prompts, self.sizes.reply)
                    streams.run(kind, 0)
                    self._reset_peak()
                    yield self._figure(kind, count, graphs, self._repeated(streams, kind))

    @contextmanager
    def graphs(self) -> Iterator[str]:
        """Serves windows by recorded graphs; by the same segments without recording where there is no GPU. Returns what
        tables call it."""
        on_cuda = self.device.type == "cuda"
        recorder = CudaRecorder() if on_cuda else without_recording
        self.engine.window_graphs = WindowGraphs(self.engine.model, recorder)
        yield "yes" if on_cuda else "unrecorded"
        self.engine.window_graphs = None

    def peak_bytes(self) -> int:
        """Returns the most memory taken: on a GPU by tensors since the last reset, on a CPU by the process so far."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def _serves(self, streams: int) -> bool:
        """Returns whether graphs, where they are on, serve the windows of so many streams; others run without."""
        return self.engine.window_graphs is None or streams * self.sizes.reply <= ROWS[-1]

    def _repeated(self, streams: Streams, kind: Kind) -> list[Replies]:
        began = time.perf_counter()
        made: list[Replies] = []
        while len(made) < _REPLIES and (not made or time.perf_counter() - began < self.options.seconds):
            made.append(streams.run(kind, self.options.seconds))
        return made

    def _figure(self, kind: Kind, streams: int, graphs: str, made: list[Replies]) -> RepliesFigure:
        rounds = [each for replies in made for each in replies.rounds]
        return RepliesFigure(
            kind.name, graphs, streams, self.sizes.prompt, self.sizes.reply, len(made),
            committed=made[0].committed,
            forwards=sum(each.forward_count for each in made[0].rounds),
            steps=len(made[0].rounds),
            tokens_per_second=Spread.of([each.committed / each.seconds for each in made]),
            step=Spread.of([each.whole for each in rounds]),
            forward=Spread.of([each.forwards for each in rounds]),
            policy=Spread.of([each.policy for each in rounds]),
            around=Spread.of([each.around for each in rounds]),
            around_share=statistics.median(each.around / each.whole for each in rounds),
            peak_bytes=self.peak_bytes(),
        )  # fmt: skip

    def _picture(self, name: str, features: int, operations: int, run: Callable[[], object]) -> PictureFigure:
        return PictureFigure(name, self.sizes.tiles, features, self._timed(run), operations)

    def _product_rate(self, rows: int) -> float:
        """What `torch.mm` reaches, operations per second, with the matrices of all layers one after another."""
        model = self.engine.model

        def given(width: int) -> torch.Tensor:
            return torch.randn((rows, width), device=self.device).to(model.dtype)

        narrow, wide = given(model.config.hidden_size), given(model.config.intermediate_size)

        def run() -> None:
            for layer in model.layers:
                for linear in (layer.projection, layer.output, layer.gate_and_up):
                    torch.mm(narrow, linear.weight.t())
                torch.mm(wide, layer.down.weight.t())

        return rows * cost.row_matrices(model.config) / self._timed(run).median

    def _timed(self, run: Callable[[], object]) -> Spread:
        """Seconds of a run, from an idle device to an idle device."""
        seconds = []
        for number in range(_WARM_UPS + self.options.runs):
            self._synchronize()
            began = time.perf_counter()
            run()
            self._synchronize()
            if number >= _WARM_UPS:
                seconds.append(time.perf_counter() - began)
        return Spread.of(seconds)

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _reset_peak(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    @contextmanager
    def _scheduler(self) -> Iterator[Scheduler[DenoiserCanvas]]:
        scheduler: Scheduler[Any] = Scheduler(self.engine, self.limits, lambda: "")
        scheduler.start()
        try:
            yield scheduler
        finally:
            scheduler.stop(_STOP_SECONDS)


def measure(options: Options, out: Report) -> None:
    """Measures everything, from the cheap to what has been run least; `out` shows each table as soon as it is there."""
    if options.sizes == "small":
        # Threads of small products wait for each other more than they compute.
        torch.set_num_threads(1)
    began = time.perf_counter()
    bench = Bench(options)
    sizes = bench.sizes
    out.machine(_machine(options, bench, time.perf_counter() - began))
    figures, picture = bench.pictures()
    out.pictures(figures)
    prompt = random_prompts(picture, sizes.text_positions, bench.engine.vocabulary_size, 1)[0]
    out.forwards("Forwards, without scheduler", chain(bench.forwards(prompt), bench.windows(prompt, "no")))
    out.replies("Replies, through the scheduler", bench.replies(picture, KINDS, "no"))
    with bench.graphs() as graphs:
        out.forwards("Windows by graphs, without scheduler", bench.windows(prompt, graphs))
        out.replies("Windows by graphs, through the scheduler", bench.replies(picture, KINDS[1:], graphs))
    if options.sizes == "published":
        out.bars()


def _machine(options: Options, bench: Bench, seconds: float) -> dict[str, str]:
    on_cuda = options.device.type == "cuda"
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.2f}"
    limits = [
        f"{value:g} {unit}"
        for value, unit in ((options.limits.tflops, "TFLOP/s"), (options.limits.tbps, "TB/s"))
        if value is not None
    ]
    return {
        "date": datetime.date.today().isoformat(),
        "device": torch.cuda.get_device_name(0) if on_cuda else f"CPU, {cores}",
        "limits that shares are of": ", ".join(limits) or "none given",
        "system": f"{platform.system()} {platform.release()}",
        "PyTorch": torch.__version__,
        "sizes, precision": f"{options.sizes}, {options.precision}",
        "weights made in": report.seconds(seconds),
        "peak memory while weights were made" if on_cuda else "peak memory of the process until here": report.mebibytes(
            bench.peak_bytes()
        ),
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--sizes", choices=tuple(SIZES), help="published on a GPU, small on a CPU unless given")
    parser.add_argument("--precision", choices=("bf16", "fp32"), help="bf16 on a GPU, fp32 on a CPU unless given")
    parser.add_argument("--peak-tflops", type=_positive, help="shares of arithmetic are of this many TFLOP/s")
    parser.add_argument("--memory-tbps", type=_positive, help="shares of memory are of this many TB/s")
    parser.add_argument("--runs", type=int, choices=range(1, 1001), metavar="1..1000", help="of each forward")
    parser.add_argument("--seconds", type=_positive, help="after which replies of a kind are ended at a refresh")
    parser.add_argument("--json", action="store_true", help="one line of JSON; tables go to standard error")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} (expected: a number above 0)")
    return value


def main() -> None:
    """Measures and prints."""
    arguments = parse()
    options = Options.read(arguments)
    out = Report(options.limits, sys.stderr if arguments.json else sys.stdout)
    try:
        measure(options, out)
    finally:
        # Whatever failed: what was measured before is not lost.
        if arguments.json:
            print(json.dumps(asdict(out.figures)), flush=True)


if __name__ == "__main__":
    main()
