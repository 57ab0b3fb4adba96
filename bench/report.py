"""Figures and how they are shown: tables in the form of docs/benchmarks.md, medians with the least and the most."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

_HOW_TO_READ = """\
Operations are two per multiplication of a product or of attention. In forwards, rows, positions (`of`) and asked are of
each session; the operations are those carried out, while the formula takes every row through all of the last layer.
`of torch.mm`: operations per second, of those that `torch.mm` reaches with the matrices of all layers and as many rows,
measured just after. `of arithmetic`, `of memory`: shares of the limits above; memory reads weights once, and each
session's kept keys and values.

Replies are timed from opening the sessions to the last commit, the prompt's first forward included, vision and
projector not. A run that takes too long is ended at a refresh: `committed` is what one run came to, of all streams.
`around` is all of a step that is not a forward; `policy` is the part of it that samples.
"""


@dataclass(frozen=True)
class Spread:
    """Of some runs."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return Spread(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class CardLimits:
    """What the device reaches at most, as far as it is known: TFLOP/s of large products, TB/s of memory."""

    tflops: float | None
    tbps: float | None

    def of_arithmetic(self, operations: float, seconds: float) -> float | None:
        """Returns the share of the arithmetic that was reached, if the limit is known."""
        return None if self.tflops is None else operations / seconds / (self.tflops * 1e12)

    def of_memory(self, count: float, seconds: float) -> float | None:
        """Returns the share of the memory's rate that reading `count` bytes reached, if the limit is known."""
        return None if self.tbps is None else count / seconds / (self.tbps * 1e12)


@dataclass(frozen=True)
class PictureFigure:
    """One part of a picture's way. `operations`: by formula."""

    part: str
    tiles: int
    features: int
    seconds: Spread
    operations: int


@dataclass(frozen=True)
class ForwardFigure:
    """One kind of forward. `rows`, `positions`, `asked`: of each of its `sessions`. `head`: of `seconds`, what comes
    behind the layers. `formula`: operations by the formula of the published model, where it describes the forward.
    `product_rate`: operations per second of `torch.mm` with the same matrices and rows."""

    forward: str
    graphs: str
    sessions: int
    rows: int
    positions: int
    asked: int
    seconds: Spread
    head: Spread
    operations: int
    formula: int | None
    bytes: int
    product_rate: float


@dataclass(frozen=True)
class RepliesFigure:
    """One kind of replies, `streams` at once. `committed`, `forwards`, `steps`: of the first of `runs`; tokens and
    forwards of all streams, steps of each. `step`, `forward`, `policy`, `around`: seconds of one step of all streams.
    `peak_bytes`: of tensors on a GPU while these replies were made; on a CPU of the process so far."""

    kind: str
    graphs: str
    streams: int
    prompt: int
    reply: int
    runs: int
    committed: int
    forwards: float
    steps: int
    tokens_per_second: Spread
    step: Spread
    forward: Spread
    policy: Spread
    around: Spread
    around_share: float
    peak_bytes: int


@dataclass
class Figures:
    """All that was measured so far."""

    machine: dict[str, str] = field(default_factory=dict)
    limits: CardLimits = field(default_factory=lambda: CardLimits(None, None))
    pictures: list[PictureFigure] = field(default_factory=list)
    forwards: list[ForwardFigure] = field(default_factory=list)
    replies: list[RepliesFigure] = field(default_factory=list)


class Report:
    """Keeps figures and prints them as they come."""

    def __init__(self, limits: CardLimits, out: TextIO) -> None:
        self.figures = Figures(limits=limits)
        self._limits, self._out = limits, out

    def machine(self, machine: dict[str, str]) -> None:
        """Shows what was measured on."""
        self.figures.machine.update(machine)
        self._print(f"## PyTorch models on {machine['device']}\n")
        self._print("Measured by `bench/triton_models.py`. Medians; in brackets the least and the most.\n")
        self._table("what | value", "|", [list(row) for row in machine.items()])
        self._print(_HOW_TO_READ)

    def pictures(self, figures: Sequence[PictureFigure]) -> None:
        """Shows the ways of a picture."""
        self.figures.pictures += figures
        self._print("### One picture\n")
        rows = []
        for each in figures:
            share = self._limits.of_arithmetic(each.operations, each.seconds.median)
            rows.append([each.part, f"{each.tiles}", f"{each.features}", timed(each.seconds),
                         giga(each.operations), percent(share)])  # fmt: skip
        self._table("part | tiles | features | time | GFLOP | of arithmetic", "|--:|--:|--:|--:|--:", rows)

    def forwards(self, title: str, figures: Iterable[ForwardFigure]) -> None:
        """Shows kinds of forwards, each as soon as it is there."""
        self._print(f"### {title}\n")
        self._table(
            "forward | graphs | sessions | rows | of | asked | time | of it head | GFLOP | of formula | reached"
            " | of torch.mm | of arithmetic | of memory",
            "||--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:",
            self._forward_rows(figures),
        )

    def _forward_rows(self, figures: Iterable[ForwardFigure]) -> Iterator[list[str]]:
        for each in figures:
            self.figures.forwards.append(each)
            median = each.seconds.median
            yield [
                each.forward, each.graphs, f"{each.sessions}", f"{each.rows}", f"{each.positions}", f"{each.asked}",
                timed(each.seconds), seconds(each.head.median), giga(each.operations),
                percent(None if each.formula is None else each.operations / each.formula),
                rate(each.operations / median),
                percent(each.operations / median / each.product_rate),
                percent(self._limits.of_arithmetic(each.operations, median)),
                percent(self._limits.of_memory(each.bytes, median)),
            ]  # fmt: skip

    def replies(self, title: str, figures: Iterable[RepliesFigure]) -> None:
        """Shows replies, each as soon as it is there, and then where the time of their steps went."""
        shown: list[RepliesFigure] = []
        self._print(f"### {title}\n")
        self._table(
            "kind | graphs | streams | tokens/s | tokens/forward | steps | prompt | reply | committed | runs | peak",
            "||--:|--:|--:|--:|--:|--:|--:|--:|--:",
            self._reply_rows(figures, shown),
        )
        self._table(
            "kind | graphs | streams | step | forward | policy | around | of the step",
            "||--:|--:|--:|--:|--:|--:",
            [
                [each.kind, each.graphs, f"{each.streams}", timed(each.step), seconds(each.forward.median),
                 seconds(each.policy.median), timed(each.around), percent(each.around_share)]
                for each in shown
            ],
        )  # fmt: skip

    def _reply_rows(self, figures: Iterable[RepliesFigure], shown: list[RepliesFigure]) -> Iterator[list[str]]:
        for each in figures:
            self.figures.replies.append(each)
            shown.append(each)
            yield [
                each.kind, each.graphs, f"{each.streams}", spread(each.tokens_per_second),
                number(each.committed / each.forwards), f"{each.steps}", f"{each.prompt}", f"{each.reply}",
                f"{each.committed}", f"{each.runs}", mebibytes(each.peak_bytes),
            ]  # fmt: skip

    def bars(self) -> None:
        """Shows what is wanted of the published sizes on a GPU, as far as the limits are known."""
        rows = []
        for each in self.figures.forwards:
            what = f"{each.forward}, {each.sessions} session(s), graphs {each.graphs}"
            median = each.seconds.median
            if each.forward == "full forward":
                share = self._limits.of_arithmetic(each.operations, median)
                rows += _bar(f"{what}, of arithmetic", share, 0.6, percent)
            if each.forward == "step of prefix":
                share = self._limits.of_memory(each.bytes, median)
                rows += _bar(f"{what}, of memory", share, 0.5, percent)
        for replies in self.figures.replies:
            what = f"{replies.kind}, {replies.streams} stream(s), graphs {replies.graphs}"
            if replies.kind.startswith("prefix, refresh 32") and replies.streams == 1:
                rows += _bar(f"{what}, tokens/s", replies.tokens_per_second.median, 100, number)
            rows += _bar(f"{what}, everything around a step", replies.around_share, 0.1, percent, at_most=True)
        self._print("### Bars\n")
        self._table("what | measured | wanted | reached", "|--:|--:|--:", rows)

    def _table(self, head: str, alignment: str, rows: Iterable[Sequence[str]]) -> None:
        columns = [part or "---" for part in alignment.split("|")]
        self._print(f"| {head} |\n|{'|'.join(columns)}|")
        for row in rows:
            self._print(f"| {' | '.join(row)} |")
        self._print("")

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def _bar(
    what: str, measured: float | None, wanted: float, show: Callable[[float], str], at_most: bool = False
) -> list[list[str]]:
    """One row, or none where there is no measure."""
    if measured is None:
        return []
    reached = measured <= wanted if at_most else measured >= wanted
    return [[what, show(measured), f"{'<=' if at_most else '>='} {show(wanted)}", "yes" if reached else "NO"]]


def number(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def percent(share: float | None) -> str:
    """A share, or a dash where there is none."""
    return "-" if share is None else f"{number(share * 100)} %"


def giga(operations: float) -> str:
    """In units of 10^9."""
    return number(operations / 1e9)


def rate(per_second: float) -> str:
    """Of operations."""
    return f"{number(per_second / 1e9)} GFLOP/s" if per_second < 1e12 else f"{number(per_second / 1e12)} TFLOP/s"


def mebibytes(count: float) -> str:
    """Of bytes."""
    return f"{count / 2**20:.0f} MiB"


def seconds(value: float) -> str:
    """In the unit that leaves one to three digits before the point."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{number(value * factor)} {unit}"
    return f"{number(value * 1e6)} us"


def timed(values: Spread) -> str:
    """Seconds with their spread."""
    return f"{seconds(values.median)} ({seconds(values.least)} .. {seconds(values.most)})"


def spread(values: Spread) -> str:
    """Numbers with their spread."""
    return f"{number(values.median)} ({number(values.least)} .. {number(values.most)})"
