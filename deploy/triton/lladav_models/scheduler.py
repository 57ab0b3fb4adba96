"""The one thread that owns sessions and arithmetic: it takes whatever steps wait, runs them in one forward, and answers
each. Without Triton in it: requests come with a `Reply`."""

from __future__ import annotations

import logging
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch

from .denoiser import DenoiserCanvas
from .errors import Code, Refusal, invalid
from .operations import Bias, Close, Describe, InSession, Open, Operation, RunStep, Tensors, Write
from .settings import Limits
from .work import CanvasLayout, Step, StepResult

BATCH_WAIT_SECONDS = 0.005
"""How long the steps of a named batch wait for each other."""
POLL_SECONDS = 0.1
"""How often it is asked whether sessions' streams are still there."""
ASK_AGAIN_SECONDS = 0.01
"""For how long it is believed that a stream is still there: asking takes 40 microseconds, of each session before each
forward."""
_QUEUE_MAX = 4096
_PENDING_MAX = 64
_log = logging.getLogger("lladav.scheduler")


class Reply(ABC):
    """The way back to the sender of one operation. Exactly one message of it is the last, whatever happens."""

    _finished = False

    def __init__(self, request: str) -> None:
        """`request`: its id, for the log."""
        self.request = request or "-"

    def acknowledge(self) -> None:
        """Says that the operation was taken up, and that more follows."""
        self._pass_on({}, None, final=False)

    def finish(self, outputs: Tensors | None = None) -> None:
        """Ends with outputs, or with nothing."""
        self._pass_on(outputs, None, final=True)

    def refuse(self, refusal: Refusal) -> None:
        """Ends with an error."""
        self._pass_on(None, refusal, final=True)

    @abstractmethod
    def is_cancelled(self) -> bool:
        """Returns whether nobody waits for it any more."""

    @abstractmethod
    def send(self, outputs: Tensors | None, refusal: Refusal | None, final: bool) -> None:
        """Sends one message: outputs, which may be empty; or an error; or, if both are None, nothing but its being
        final."""

    def _pass_on(self, outputs: Tensors | None, refusal: Refusal | None, final: bool) -> None:
        if self._finished:
            return
        self._finished = final
        try:
            self.send(outputs, refusal, final)
        except Exception:
            # Nobody is left to be told.
            _log.exception("an answer to request %s could not be sent", self.request)


Canvas = TypeVar("Canvas", bound=DenoiserCanvas)


class Engine(Protocol[Canvas]):
    """What `Denoiser` is to the scheduler."""

    def session_bytes(self, layout: CanvasLayout) -> int:
        """Returns the memory of a session."""

    def open(self, layout: CanvasLayout) -> Canvas:
        """Opens a canvas."""

    def require_fits(self, canvas: Canvas, step: Step) -> None:
        """Refuses a step that this canvas cannot serve."""

    def rows(self, canvas: Canvas, step: Step) -> int:
        """Returns the cost of a step."""

    def run(self, batch: Sequence[tuple[Canvas, Step]]) -> list[StepResult]:
        """Runs steps of different canvases together."""


@dataclass
class Statistics:
    """What the metrics show: now (`sessions`, `session_bytes`, `waiting`), and since the start (`steps`,
    `forwards`)."""

    sessions: int = 0
    session_bytes: int = 0
    waiting: int = 0
    steps: int = 0
    forwards: int = 0


@dataclass
class _Session(Generic[Canvas]):
    """`opened`: the reply that stays open as long as the session. `used`, `asked`: when it last had an operation, and
    when it was last asked whether its stream is there. `pending`: what waits behind a step that waits."""

    name: str
    canvas: Canvas
    bytes: int
    opened: Reply
    used: float
    asked: float = float("-inf")
    pending: deque[tuple[InSession, Reply]] = field(default_factory=deque)
    last_number: int = 0
    last_answer: Tensors | None = None


@dataclass(frozen=True)
class _Waiting(Generic[Canvas]):
    """A step that fits and has not been run."""

    session: _Session[Canvas]
    operation: RunStep
    reply: Reply
    since: float


class Scheduler(Generic[Canvas]):
    """Operations of one session are carried out in the order in which they were submitted; a step that fails by
    itself leaves the session as it was, a forward that fails ends the sessions in it."""

    def __init__(
        self,
        engine: Engine[Canvas],
        limits: Limits,
        identity: Callable[[], str],
        observe: Callable[[Statistics], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`identity`: what `describe` answers. `observe`: told of the statistics when they have changed."""
        self._engine, self._limits, self._identity = engine, limits, identity
        self._observe, self._clock = observe, clock
        self._arrived: queue.Queue[tuple[Operation, Reply] | None] = queue.Queue(_QUEUE_MAX)
        self._sessions: dict[str, _Session[Canvas]] = {}
        self._waiting: dict[str, _Waiting[Canvas]] = {}
        self._next_poll = clock()
        self._statistics = Statistics()
        self._shown = Statistics()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def submit(self, operation: Operation, reply: Reply) -> None:
        """Hands over an operation; by any thread. Its arrays belong to the scheduler from now on."""
        if self._stopping.is_set():
            reply.refuse(_unloading())
            return
        try:
            self._arrived.put_nowait((operation, reply))
        except queue.Full:
            reply.refuse(Refusal(Code.OVERLOADED, f"{_QUEUE_MAX} operations wait already; repeat later or elsewhere"))

    def stop(self, seconds: float) -> bool:
        """Ends the thread behind the forward that runs, and all sessions; returns whether it ended in time."""
        self._stopping.set()
        try:
            self._arrived.put_nowait(None)
        except queue.Full:
            pass  # then it need not be woken
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def turn(self, wait: bool = True) -> None:
        """Takes in what has arrived, frees what nobody wants any more, and runs what waits: one round of the thread.
        `wait`: for something to arrive, unless there is something to do."""
        self._take_in(self._patience() if wait else 0)
        now = self._clock()
        if now >= self._next_poll:
            self._next_poll = now + POLL_SECONDS
            self._free_unwanted(list(self._sessions.values()))
            self._free_idle(now)
            self._show()
        if self._waiting and self._held_until() <= self._clock():
            self._run_batch()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except Exception:
                # Whatever it was: a scheduler that has ended would leave every session waiting for ever.
                _log.exception("a round of the scheduler failed")
        gone = _unloading()
        for session in list(self._sessions.values()):
            self._end(session, gone)
        while not self._arrived.empty():
            if arrived := self._arrived.get_nowait():
                arrived[1].refuse(gone)

    def _patience(self) -> float:
        if self._waiting:
            return max(0.0, self._held_until() - self._clock())
        return max(0.0, self._next_poll - self._clock()) if self._sessions else 1.0

    def _take_in(self, seconds: float) -> None:
        # No more than there is now: whoever sends without end must not keep steps from running.
        count = max(1, self._arrived.qsize())
        for index in range(count):
            try:
                wait = index == 0 and seconds > 0
                arrived = self._arrived.get(timeout=seconds) if wait else self._arrived.get_nowait()
            except queue.Empty:
                return
            if arrived is not None:
                self._take(*arrived)

    def _take(self, operation: Operation, reply: Reply) -> None:
        try:
            match operation:
                case Describe():
                    reply.finish({"IDENTITY": np.array([self._identity().encode()], np.object_)})
                case Open():
                    self._open(operation, reply)
                case Close():
                    session = self._session(operation.session)
                    self._end(session, None)
                    reply.finish({})
                case Write() | Bias() | RunStep():
                    session = self._session(operation.session)
                    session.used = self._clock()
                    if len(session.pending) >= _PENDING_MAX:
                        raise Refusal(Code.OVERLOADED, f"{_PENDING_MAX} operations of this session wait already")
                    session.pending.append((operation, reply))
                    self._advance(session)
        except Refusal as refusal:
            reply.refuse(refusal)
        except Exception:
            _fail_operation(operation, reply)

    def _session(self, name: str) -> _Session[Canvas]:
        session = self._sessions.get(name)
        if session is None:
            raise Refusal(Code.NOT_FOUND, "SESSION: not open (expected: one that was opened and not closed); open anew")
        return session

    def _open(self, operation: Open, reply: Reply) -> None:
        if operation.session in self._sessions:
            raise invalid("SESSION", "open already", "128 fresh random bits")
        most = self._limits.sessions_max
        if len(self._sessions) >= most:
            raise Refusal(
                Code.OVERLOADED, f"sessions: {most} are open (LLADAV_SESSIONS_MAX: {most}); try later or elsewhere"
            )
        size, room = self._engine.session_bytes(operation.layout), self._limits.session_bytes_max
        if size > room:
            raise invalid("LAYOUT", f"{size} bytes", f"at most {room}, LLADAV_SESSION_BYTES_MAX")
        if size > room - self._statistics.session_bytes:
            raise Refusal(
                Code.OVERLOADED,
                f"session bytes: {size} asked for, {room - self._statistics.session_bytes} of {room}"
                " (LLADAV_SESSION_BYTES_MAX) are free; try later or elsewhere",
            )
        try:
            canvas = self._engine.open(operation.layout)
        except (MemoryError, torch.OutOfMemoryError) as e:
            _log.exception("request %s: no memory for a session of %d bytes", reply.request, size)
            raise Refusal(Code.OVERLOADED, f"session bytes: no memory for {size}; try later or elsewhere") from e
        self._sessions[operation.session] = _Session(operation.session, canvas, size, reply, self._clock())
        self._statistics.session_bytes += size
        reply.acknowledge()

    def _advance(self, session: _Session[Canvas]) -> None:
        """Carries out what is pending, up to a step that has to wait."""
        while session.pending and session.name not in self._waiting:
            operation, reply = session.pending.popleft()
            try:
                self._carry_out(session, operation, reply)
            except Refusal as refusal:
                reply.refuse(refusal)
            except Exception:
                _fail_operation(operation, reply)

    def _carry_out(self, session: _Session[Canvas], operation: InSession, reply: Reply) -> None:
        match operation:
            case Write(_, position, rows):
                if rows.dtype == np.int32:
                    session.canvas.write_ids(position, rows)  # type: ignore[arg-type]
                else:
                    session.canvas.write_embeddings(position, rows)  # type: ignore[arg-type]
                reply.finish({})
            case Bias(_, ids, values):
                session.canvas.bias_logits(ids, values)
                reply.finish({})
            case RunStep():
                if operation.number == session.last_number and session.last_answer is not None:
                    reply.finish(session.last_answer)
                    return
                if operation.number != session.last_number + 1:
                    raise Refusal(
                        Code.OUT_OF_ORDER,
                        f"NUMBER: {operation.number} (expected: {session.last_number + 1}, the next"
                        + (f", or {session.last_number} again)" if session.last_number else ")"),
                    )
                self._engine.require_fits(session.canvas, operation.step)
                self._waiting[session.name] = _Waiting(session, operation, reply, self._clock())
                self._statistics.waiting = len(self._waiting)

    def _held_until(self) -> float:
        """When the steps that wait may begin: at once, unless one of them belongs to a batch that is not complete."""
        batches: dict[str, list[_Waiting[Canvas]]] = {}
        for waiting in self._waiting.values():
            if waiting.operation.batch:
                batches.setdefault(waiting.operation.batch, []).append(waiting)
        until = float("-inf")
        for together in batches.values():
            if len(together) < max(waiting.operation.batch_size for waiting in together):
                until = max(until, min(waiting.since for waiting in together) + BATCH_WAIT_SECONDS)
        return until

    def _run_batch(self) -> None:
        self._free_unwanted([waiting.session for waiting in self._waiting.values()])
        batch: list[_Waiting[Canvas]] = []
        rows = 0
        for waiting in self._waiting.values():
            rows += self._engine.rows(waiting.session.canvas, waiting.operation.step)
            if batch and rows > self._limits.batch_rows_max:
                break
            batch.append(waiting)
        if not batch:
            return
        for waiting in batch:
            del self._waiting[waiting.session.name]
        self._statistics.waiting = len(self._waiting)
        began = time.perf_counter()
        try:
            results = self._engine.run([(waiting.session.canvas, waiting.operation.step) for waiting in batch])
        except Exception as e:
            _log.exception("a forward failed, of requests %s", " ".join(waiting.reply.request for waiting in batch))
            self._fail(batch, e)
            return
        micros = int((time.perf_counter() - began) * 1e6)
        self._statistics.forwards += 1
        self._statistics.steps += len(batch)
        for waiting, result in zip(batch, results):
            self._answer(waiting, result, micros, len(batch))

    def _answer(self, waiting: _Waiting[Canvas], result: StepResult, micros: int, together: int) -> None:
        session = waiting.session
        session.last_number = waiting.operation.number
        session.last_answer = {
            "CANDIDATES": result.candidates,
            "CONFIDENCES": result.confidences,
            "CERTAINTIES": result.certainties,
            "FORWARD_MICROS": np.array([micros], np.int64),
            "BATCH_STEPS": np.array([together], np.int32),
        }
        session.used = self._clock()
        waiting.reply.finish(session.last_answer)
        self._advance(session)

    def _fail(self, batch: list[_Waiting[Canvas]], cause: Exception) -> None:
        """What the sessions keep of the forward is not known, so they end."""
        refusal = Refusal(Code.INTERNAL, "the forward failed; the model's log says why. The session is closed")
        if isinstance(cause, (MemoryError, torch.OutOfMemoryError)):
            refusal = Refusal(
                Code.OVERLOADED,
                "no memory left for the forward; the session is closed. Try later or elsewhere; lower"
                " LLADAV_SESSION_BYTES_MAX or LLADAV_BATCH_ROWS_MAX",
            )
        for waiting in batch:
            waiting.reply.refuse(refusal)
            self._end(waiting.session, refusal)

    def _free_unwanted(self, sessions: Sequence[_Session[Canvas]]) -> None:
        now = self._clock()
        for session in sessions:
            if now - session.asked < ASK_AGAIN_SECONDS:
                continue
            session.asked = now
            if session.opened.is_cancelled():
                self._end(session, Refusal(Code.CANCELLED, "the stream of the session has gone"))

    def _free_idle(self, now: float) -> None:
        for session in list(self._sessions.values()):
            if session.name not in self._waiting and now - session.used > self._limits.idle_seconds:
                _log.info(
                    "request %s: its session was idle for %d seconds and is closed",
                    session.opened.request,
                    self._limits.idle_seconds,
                )
                self._end(
                    session,
                    Refusal(
                        Code.NOT_FOUND,
                        f"SESSION: closed, no operation for {self._limits.idle_seconds} seconds (LLADAV_IDLE_SECONDS);"
                        " open anew",
                    ),
                )

    def _end(self, session: _Session[Canvas], refusal: Refusal | None) -> None:
        """Frees a session and answers everything that waits in it; `refusal`: why, None if it was asked for."""
        del self._sessions[session.name]
        self._statistics.session_bytes -= session.bytes
        unanswered = refusal or Refusal(Code.CANCELLED, "the session was closed")
        if waiting := self._waiting.pop(session.name, None):
            waiting.reply.refuse(unanswered)
            self._statistics.waiting = len(self._waiting)
        for _, reply in session.pending:
            reply.refuse(unanswered)
        session.pending.clear()
        if refusal is None:
            session.opened.finish()
        else:
            session.opened.refuse(refusal)

    def _show(self) -> None:
        self._statistics.sessions = len(self._sessions)
        if self._statistics != self._shown:
            self._shown = Statistics(**vars(self._statistics))
            self._observe(self._shown)


def _unloading() -> Refusal:
    return Refusal(Code.CANCELLED, "the model is being unloaded; open the session elsewhere")


def _fail_operation(operation: Operation, reply: Reply) -> None:
    """To be called where the exception is caught."""
    _log.exception("request %s: an operation failed: %s", reply.request, type(operation).__name__)
    reply.refuse(Refusal(Code.INTERNAL, "the operation failed; the model's log says why"))
