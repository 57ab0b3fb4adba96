"""The scheduler: with a scripted engine where the order of things matters, with a real one where numbers do."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from conftest import denoiser, ints

from lladav_models.denoiser import Denoiser
from lladav_models.errors import Code, Refusal
from lladav_models.operations import Bias, Close, Describe, Open, Operation, RunStep, Tensors, Write
from lladav_models.scheduler import Reply, Scheduler, Statistics
from lladav_models.settings import Limits
from lladav_models.work import (
    Cache,
    CanvasLayout,
    Certainty,
    Features,
    Floats,
    Full,
    Ints,
    Step,
    StepResult,
    Window,
    require_fits,
)

A, B, C = ("a" * 32, "b" * 32, "c" * 32)
VOCABULARY = 10


class RecordedReply(Reply):
    """Keeps what was sent."""

    def __init__(self) -> None:
        super().__init__("r-1")
        self.sent: list[tuple[Tensors | None, Refusal | None, bool]] = []
        self.cancelled = False
        self.ended: queue.Queue[None] = queue.Queue()

    def is_cancelled(self) -> bool:
        return self.cancelled

    def send(self, outputs: Tensors | None, refusal: Refusal | None, final: bool) -> None:
        self.sent.append((outputs, refusal, final))
        if final:
            self.ended.put(None)

    @property
    def is_final(self) -> bool:
        return any(final for _, _, final in self.sent)

    @property
    def outputs(self) -> Tensors:
        assert len(self.sent) == 1 and self.sent[0][2], self.sent
        outputs = self.sent[0][0]
        assert outputs is not None, self.sent[0][1]
        return outputs

    @property
    def error(self) -> str:
        assert self.sent and self.sent[-1][2], self.sent
        return str(self.sent[-1][1])


class FakeCanvas:
    def __init__(self, layout: CanvasLayout) -> None:
        self.layout = layout
        self.written: list[Any] = []
        self.refreshed = 0

    def write_ids(self, position: int, ids: Ints) -> None:
        self.written.append((position, ids.tolist()))

    def write_embeddings(self, position: int, rows: Floats) -> None:
        self.written.append((position, rows.shape))

    def bias_logits(self, ids: Ints, values: Floats) -> None:
        self.written.append(("bias", ids.tolist()))


class FakeEngine:
    """Counts: the candidates of a step are the number of the forward it ran in. Fails when told to."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[FakeCanvas, Step]]] = []
        self.failures: list[Exception] = []
        self.open_failures: list[Exception] = []

    def session_bytes(self, layout: CanvasLayout) -> int:
        return layout.length

    def open(self, layout: CanvasLayout) -> FakeCanvas:
        if self.open_failures:
            raise self.open_failures.pop()
        return FakeCanvas(layout)

    def require_fits(self, canvas: FakeCanvas, step: Step) -> None:
        require_fits(step, canvas.layout, canvas.refreshed, VOCABULARY)

    def rows(self, canvas: FakeCanvas, step: Step) -> int:
        return canvas.layout.length

    def run(self, batch: Sequence[tuple[FakeCanvas, Step]]) -> list[StepResult]:
        if self.failures:
            raise self.failures.pop()
        self.batches.append(list(batch))
        for canvas, step in batch:
            canvas.written.append(step.write_positions.tolist())
            canvas.refreshed = 1
        number = len(self.batches)
        return [
            StepResult(np.full(len(step.positions), number, np.int32), *[np.zeros(len(step.positions), np.float32)] * 2)
            for _, step in batch
        ]


class Clock:
    """Stands still unless it is put forward."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A scheduler whose rounds are run by hand."""

    def __init__(self, **limits: int) -> None:
        self.engine, self.clock = FakeEngine(), Clock()
        self.seen: list[Statistics] = []
        self.scheduler: Scheduler[FakeCanvas] = Scheduler(
            self.engine, Limits(**limits), lambda: "{}", self.seen.append, self.clock
        )

    def submit(self, *operations: Operation) -> list[RecordedReply]:
        replies = [RecordedReply() for _ in operations]
        for operation, reply in zip(operations, replies):
            self.scheduler.submit(operation, reply)
        return replies

    def do(self, *operations: Operation) -> list[RecordedReply]:
        replies = self.submit(*operations)
        self.turn()
        return replies

    def turn(self) -> None:
        self.clock.now += 0.001
        self.scheduler.turn(wait=False)

    def poll(self) -> None:
        self.clock.now += 0.2
        self.turn()


def opening(name: str, length: int = 10) -> Open:
    return Open(name, CanvasLayout(length - 4, 4, cache=Cache.KEYS_AND_VALUES))


def step(name: str, number: int = 1, batch: str = "", size: int = 1, **changes: Any) -> RunStep:
    return RunStep(name, number, Step(**({"positions": ints([6])} | changes)), batch, size)


def forward_of(reply: RecordedReply) -> int:
    return int(reply.outputs["CANDIDATES"][0])


def test_opening_acknowledges_and_ends_with_closing() -> None:
    bench = Bench()
    (opened,) = bench.do(opening(A))
    assert opened.sent == [({}, None, False)]
    (closed,) = bench.do(Close(A))
    assert closed.sent == [({}, None, True)]
    assert opened.sent[1:] == [(None, None, True)]


def test_steps_that_wait_share_a_forward() -> None:
    bench = Bench()
    *_, a, b = bench.do(opening(A), opening(B), step(A), step(B))
    assert forward_of(a) == forward_of(b) == 1
    assert a.outputs["BATCH_STEPS"] == 2


def test_a_named_batch_waits_for_its_steps() -> None:
    bench = Bench()
    *_, a = bench.do(opening(A), opening(B), step(A, batch="x", size=2))
    assert not a.sent
    (b,) = bench.do(step(B, batch="x", size=2))
    assert forward_of(a) == forward_of(b) == 1


def test_a_named_batch_waits_for_5_milliseconds_at_most() -> None:
    bench = Bench()
    *_, a = bench.do(opening(A), step(A, batch="x", size=2))
    bench.clock.now += 0.003
    bench.turn()
    assert not a.sent
    bench.clock.now += 0.002
    bench.turn()
    assert forward_of(a) == 1


def test_others_join_a_named_batch() -> None:
    bench = Bench()
    *_, a, b = bench.do(opening(A), opening(B), opening(C), step(A, batch="x", size=2), step(B))
    assert not b.sent
    (c,) = bench.do(step(C, batch="x", size=2))
    assert forward_of(a) == forward_of(b) == forward_of(c) == 1


def test_steps_beyond_the_rows_of_a_forward_run_in_the_next() -> None:
    bench = Bench(batch_rows_max=25)
    *_, a, b, c = bench.do(opening(A), opening(B), opening(C), step(A), step(B), step(C))
    bench.turn()
    assert [forward_of(reply) for reply in (a, b, c)] == [1, 1, 2]


def test_a_step_with_more_rows_than_a_forward_runs_alone() -> None:
    bench = Bench(batch_rows_max=5)
    *_, a = bench.do(opening(A), step(A))
    assert forward_of(a) == 1


def test_a_repeat_is_answered_from_what_was_kept() -> None:
    bench = Bench()
    writing = {"write_positions": ints([7]), "write_ids": ints([1])}
    *_, first = bench.do(opening(A), step(A, **writing))
    (repeat,) = bench.do(step(A, **writing))
    assert repeat.outputs is first.outputs
    assert len(bench.engine.batches) == 1


@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_step_out_of_order_is_refused(number: int) -> None:
    bench = Bench()
    bench.do(opening(A), step(A, 1), step(A, 2))
    bench.turn()
    (reply,) = bench.do(step(A, number))
    assert reply.error == f"OUT_OF_ORDER: NUMBER: {number} (expected: 3, the next, or 2 again)"
    assert forward_of(bench.do(step(A, 3))[0]) == 3


def test_operations_of_a_session_keep_their_order() -> None:
    bench = Bench()
    replies = bench.do(
        opening(A),
        Write(A, 0, ints([1, 2])),
        step(A, 1),
        Write(A, 3, ints([4])),
        step(A, 2),
        Bias(A, ints([3]), ints([])),
    )
    bench.turn()
    canvas = bench.engine.batches[0][0][0]
    assert canvas.written == [(0, [1, 2]), [], (3, [4]), [], ("bias", [3])]
    assert [forward_of(reply) for reply in (replies[2], replies[4])] == [1, 2]
    assert all(reply.outputs == {} for reply in (replies[1], replies[3], replies[5]))


def test_cancelling_the_opening_frees_the_session() -> None:
    bench = Bench()
    opened, waiting, behind = bench.do(opening(A), step(A, batch="x", size=2), Write(A, 0, ints([1])))
    opened.cancelled = True
    bench.poll()
    for reply in (opened, waiting, behind):
        assert reply.error == "CANCELLED: the stream of the session has gone"
        assert sum(final for _, _, final in reply.sent) == 1
    assert bench.do(step(A))[0].error.startswith("NOT_FOUND")
    assert bench.engine.batches == []


def test_a_cancelled_session_is_noticed_before_a_forward() -> None:
    bench = Bench()
    opened, *_ = bench.do(opening(A), opening(B), step(A), step(B))
    bench.submit(step(A, 2), step(B, 2))
    opened.cancelled = True
    bench.clock.now += 0.01
    bench.turn()
    assert [len(batch) for batch in bench.engine.batches] == [2, 1]


def test_a_session_nobody_asks_is_freed() -> None:
    bench = Bench(idle_seconds=300)
    opened, _ = bench.do(opening(A), step(A))
    bench.clock.now += 299
    bench.turn()
    assert not opened.is_final
    bench.clock.now += 2
    bench.turn()
    assert opened.error.startswith("NOT_FOUND: SESSION: closed, no operation for 300 seconds")


def test_sessions_are_limited() -> None:
    bench = Bench(sessions_max=1)
    opened, refused = bench.do(opening(A), opening(B))
    assert not opened.is_final
    assert refused.error == "OVERLOADED: sessions: 1 are open (LLADAV_SESSIONS_MAX: 1); try later or elsewhere"
    bench.do(Close(A))
    assert not bench.do(opening(B))[0].is_final


def test_memory_is_limited() -> None:
    bench = Bench(session_bytes_max=15)
    _, refused, never = bench.do(opening(A), opening(B), opening(C, 16))
    assert refused.error.startswith("OVERLOADED: session bytes: 10 asked for, 5 of 15")
    assert never.error == "INVALID: LAYOUT: 16 bytes (expected: at most 15, LLADAV_SESSION_BYTES_MAX)"


def test_memory_that_cannot_be_had_refuses_the_session() -> None:
    bench = Bench()
    bench.engine.open_failures = [MemoryError()]
    (refused,) = bench.do(opening(A))
    assert refused.error.startswith("OVERLOADED: session bytes: no memory for 10")
    assert not bench.do(opening(A))[0].is_final


def test_a_session_opens_once() -> None:
    bench = Bench()
    _, refused = bench.do(opening(A), opening(A))
    assert refused.error == "INVALID: SESSION: open already (expected: 128 fresh random bits)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": ints([])}, "POSITIONS: none (expected: at least one)"),
        ({"positions": ints([6, 6])}, "POSITIONS: 6..6 (expected: ascending, each once, within 0..9)"),
        ({"positions": ints([10])}, "POSITIONS: 10..10 (expected: ascending, each once, within 0..9)"),
        ({"positions": ints([-1])}, "POSITIONS: -1..-1 (expected: ascending, each once, within 0..9)"),
        ({"write_positions": ints([1])}, "WRITE_IDS: 0 ids (expected: 1, one per position of WRITE_POSITIONS)"),
        ({"write_positions": ints([10]), "write_ids": ints([1])}, "WRITE_POSITIONS: 10..10 (expected: 0..9)"),
        ({"write_positions": ints([1, 1]), "write_ids": ints([1, 1])}, "WRITE_POSITIONS: one of them twice"),
        ({"write_positions": ints([1]), "write_ids": ints([10])}, "WRITE_IDS: 10 (expected: 0..9)"),
        ({"temperature": float("nan")}, "TEMPERATURE: nan (expected: >= 0, finite)"),
        ({"temperature": 1.0}, "UNIFORMS: 0 numbers (expected: 1, one per position"),
        ({"temperature": 1.0, "uniforms": np.array([1.0])}, "UNIFORMS: a number outside (expected: [0, 1))"),
        ({"uniforms": np.array([0.5])}, "UNIFORMS: 1 numbers (expected: 0"),
        ({"guidance": -1.0}, "GUIDANCE: -1.0 (expected: >= 0, finite)"),
        ({"guidance": 1.0}, "GUIDANCE: 1.0 (expected: 0, the session was opened without guidance)"),
        ({"forward": Window(5, 10)}, "FORWARD: Window(start=5, end=10) (expected: a full one first"),
        ({"forward": Window(7, 10)}, "FORWARD: window: 7..10 (expected: within 0..10, around the positions 6..6)"),
        ({"forward": Window(5, 11)}, "FORWARD: window: 5..11 (expected: within 0..10"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_and_changes_nothing(changes: dict[str, Any], message: str) -> None:
    bench = Bench()
    _, refused = bench.do(opening(A), step(A, **changes))
    assert refused.error.startswith(f"INVALID: {message}")
    (reply,) = bench.do(step(A))
    assert forward_of(reply) == 1


def test_a_forward_that_fails_ends_its_sessions_and_no_other() -> None:
    bench = Bench()
    opened, other, failed = bench.do(opening(A), opening(B), step(A))[0:3]
    bench.engine.failures = [RuntimeError("/a/path in a message")]
    (failed,) = bench.do(step(A, 2))
    assert failed.error == opened.error
    assert failed.error == "INTERNAL: the forward failed; the model's log says why. The session is closed"
    assert not other.is_final
    assert forward_of(bench.do(step(B))[0]) == 2


def test_a_forward_without_memory_is_overload() -> None:
    bench = Bench()
    bench.engine.failures = [MemoryError()]
    _, failed = bench.do(opening(A), step(A))
    assert failed.error.startswith("OVERLOADED: no memory left for the forward")


def test_an_unknown_session_is_not_found() -> None:
    for operation in (step(A), Write(A, 0, ints([1])), Close(A)):
        assert Bench().do(operation)[0].error.startswith("NOT_FOUND: SESSION: not open")


def test_the_operations_that_wait_are_limited() -> None:
    bench = Bench()
    replies = bench.do(opening(A), step(A, batch="x", size=2), *(Write(A, 0, ints([1])) for _ in range(65)))
    assert not replies[-2].sent
    assert replies[-1].error == "OVERLOADED: 64 operations of this session wait already"


def test_statistics_follow() -> None:
    bench = Bench()
    bench.do(opening(A), opening(B), step(A), step(B))
    bench.poll()
    assert bench.seen[-1] == Statistics(sessions=2, session_bytes=20, waiting=0, steps=2, forwards=1)
    bench.do(Close(A))
    bench.poll()
    assert bench.seen[-1] == Statistics(sessions=1, session_bytes=10, waiting=0, steps=2, forwards=1)


def test_nothing_that_arrives_meanwhile_is_lost() -> None:
    second = RecordedReply()

    def identity() -> str:
        if not second.sent and meanwhile:
            scheduler.submit(meanwhile.pop(), second)
        return "{}"

    meanwhile: list[Operation] = [Describe()]
    scheduler = Scheduler(FakeEngine(), Limits(), identity, clock=Clock())
    first = RecordedReply()
    scheduler.submit(Describe(), first)
    scheduler.turn(wait=False)
    scheduler.turn(wait=False)
    assert first.is_final and second.is_final


def test_the_thread_outlives_an_exception_and_ends_what_is_open() -> None:
    def broken(_: Statistics) -> None:
        raise ValueError("seen in the log")

    scheduler = Scheduler(FakeEngine(), Limits(), lambda: '{"a": 1}', broken)
    scheduler.start()
    opened, described = RecordedReply(), RecordedReply()
    scheduler.submit(opening(A), opened)
    for _ in range(3):
        reply = RecordedReply()
        scheduler.submit(Describe(), reply)
        reply.ended.get(timeout=10)
    scheduler.submit(Describe(), described)
    described.ended.get(timeout=10)
    assert described.outputs["IDENTITY"].tolist() == [b'{"a": 1}']
    assert scheduler.stop(10)
    gone = "CANCELLED: the model is being unloaded; open the session elsewhere"
    assert opened.error == gone
    late = RecordedReply()
    scheduler.submit(Describe(), late)
    assert late.error == gone


def test_nothing_follows_the_last_message() -> None:
    reply = RecordedReply()
    reply.finish({})
    reply.refuse(Refusal(Code.INTERNAL, "too late"))
    reply.acknowledge()
    assert reply.sent == [({}, None, True)]


def test_an_answer_that_cannot_be_sent_harms_nobody() -> None:
    class Gone(RecordedReply):
        def send(self, outputs: Tensors | None, refusal: Refusal | None, final: bool) -> None:
            raise OSError("gone")

    bench = Bench()
    bench.do(opening(A), opening(B))
    bench.scheduler.submit(step(A), Gone())
    (b,) = bench.do(step(B))
    assert forward_of(b) == 1


def test_the_log_names_the_request_of_what_failed(caplog: pytest.LogCaptureFixture) -> None:
    def identity() -> str:
        raise ValueError("seen in the log")

    scheduler = Scheduler(FakeEngine(), Limits(), identity, clock=Clock())
    reply = RecordedReply()
    scheduler.submit(Describe(), reply)
    scheduler.turn(wait=False)
    assert reply.error == "INTERNAL: the operation failed; the model's log says why"
    assert "request r-1: an operation failed: Describe" in caplog.text


@pytest.mark.parametrize("name", ["tiny-a", "tiny-b", "tiny-d"])
def test_results_do_not_depend_on_who_shares_the_forward(name: str) -> None:
    engine = denoiser(name)
    alone = [_run_alone(engine, canvas, steps) for canvas, steps in _sessions(engine)]
    together = _sessions(engine)
    for number in range(3):
        results = engine.run([(canvas, steps[number]) for canvas, steps in together])
        for result, expected in zip(results, alone):
            np.testing.assert_array_equal(result.candidates, expected[number].candidates)
            np.testing.assert_allclose(result.confidences, expected[number].confidences, atol=1e-5)
            np.testing.assert_allclose(result.certainties, expected[number].certainties, atol=1e-5)


def _run_alone(engine: Denoiser, canvas: Any, steps: list[Step]) -> list[StepResult]:
    return [engine.run([(canvas, each)])[0] for each in steps]


def _sessions(engine: Denoiser) -> list[tuple[Any, list[Step]]]:
    """Canvases of all kinds, with three steps each."""
    random = np.random.default_rng(5)
    sessions = []
    for index, (cache, second, third) in enumerate(
        [
            (Cache.NONE, Full(), Full()),
            (Cache.KEYS_AND_VALUES, Window(40, 56), Window(44, 60)),
            (Cache.FEATURES, Features(False, False), Features(True, False)),
            (Cache.FEATURES, Features(False, True), Features(False, False)),
        ]
    ):
        for guided in (False, True):
            prompt = 40 + 3 * index * guided
            layout = CanvasLayout(
                prompt, 16, 4, guided, cache, 5 if cache is Cache.FEATURES else 0,
                ints(np.arange(prompt + 20) // 20) if index == 1 else None,
            )  # fmt: skip
            canvas = engine.open(layout)
            canvas.write_ids(0, ints(random.integers(0, 300, prompt)))
            canvas.bias_logits(ints([5, 6]), np.array([2.0, -np.inf], np.float32))
            steps = []
            for number, forward in enumerate((Full(), second, third)):
                if isinstance(forward, Window):
                    forward = Window(forward.start + prompt - 40, forward.end + prompt - 40)
                positions = ints(np.arange(prompt + number + 4, prompt + 16))
                steps.append(
                    Step(
                        positions, forward, ints([prompt + number]), ints([number + 20]),
                        temperature=0.5 * (index % 2), uniforms=random.random(len(positions) * (index % 2)),
                        guidance=1.5 * guided, certainty=Certainty(index % 3),
                    )
                )  # fmt: skip
            sessions.append((canvas, steps))
    return sessions
