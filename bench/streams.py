"""Replies to some prompts at once, through the scheduler that serves Triton, asked for as the denoiser service does."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lladav_models.denoiser import DenoiserCanvas
from lladav_models.errors import Refusal
from lladav_models.operations import Close, Open, RunStep, Tensors, Write
from lladav_models.scheduler import Reply, Scheduler
from lladav_models.work import Cache, CanvasLayout, Floats, Forward, Full, Ints, Step, Window

from sampler import Rule, Unmasking


@dataclass(frozen=True)
class Prompt:
    """Embeddings `(positions, D)` of a picture, and the text behind it."""

    picture: Floats
    text: Ints

    @property
    def length(self) -> int:
        """P."""
        return len(self.picture) + len(self.text)


@dataclass(frozen=True)
class Kind:
    """How replies are made: every `refresh`-th step is a full forward, those between compute the reply against what
    was kept of it. `refresh` 1: every step is full, and nothing is kept."""

    name: str
    refresh: int
    rule: Rule

    @property
    def cache(self) -> Cache:
        """What sessions keep."""
        return Cache.NONE if self.refresh == 1 else Cache.KEYS_AND_VALUES


@dataclass(frozen=True)
class Round:
    """One step of all streams, in seconds: `whole`, of it the `forwards` as the scheduler reports them, and the sampler
    (`policy`). `committed`: tokens; `forward_count`: forwards that the steps took."""

    whole: float
    forwards: float
    policy: float
    committed: int
    forward_count: float

    @property
    def around(self) -> float:
        """What is not a forward: queues, threads waking up, the sampler."""
        return self.whole - self.forwards


@dataclass(frozen=True)
class Replies:
    """Some replies made at once. `seconds`: from opening the sessions to the last commit, prompts and first forwards
    included."""

    seconds: float
    rounds: Sequence[Round]

    @property
    def committed(self) -> int:
        """Tokens."""
        return sum(each.committed for each in self.rounds)


class _Answer(Reply):
    """Hands what the scheduler says to the thread that waits for it."""

    def __init__(self) -> None:
        super().__init__("")
        self._said: queue.SimpleQueue[tuple[Tensors | None, Refusal | None]] = queue.SimpleQueue()

    def is_cancelled(self) -> bool:
        return False

    def send(self, outputs: Tensors | None, refusal: Refusal | None, final: bool) -> None:
        self._said.put((outputs, refusal))

    def wait(self) -> Tensors:
        """Returns the next message's outputs. Fails with Refusal."""
        outputs, refusal = self._said.get()
        if refusal is not None:
            raise refusal
        return outputs or {}


class Streams:
    """Makes replies. For one thread: the streams step together, as the denoiser service gathers them into batches."""

    def __init__(self, scheduler: Scheduler[DenoiserCanvas], prompts: Sequence[Prompt], reply: int) -> None:
        """`reply`: positions of each reply. The scheduler must have been started."""
        self._scheduler, self._prompts, self._reply = scheduler, prompts, reply

    def run(self, kind: Kind, seconds: float) -> Replies:
        """Makes one reply to each prompt. What takes longer than `seconds` is ended before the next refresh: up to
        there tokens come at the same rate as in the whole."""
        began = time.perf_counter()
        sessions = [_Session(self._scheduler, i, prompt, self._reply, kind) for i, prompt in enumerate(self._prompts)]
        rounds: list[Round] = []
        while active := [session for session in sessions if len(session.unmasking.masked)]:
            full = len(rounds) % kind.refresh == 0
            if rounds and full and time.perf_counter() - began > seconds:
                break
            rounds.append(_round(active, len(rounds) + 1, full))
        ended = time.perf_counter()
        for session in sessions:
            session.close()
        return Replies(ended - began, rounds)


def _round(active: Sequence[_Session], number: int, full: bool) -> Round:
    began = time.perf_counter()
    answers = [session.submit(number, full, len(active)) for session in active]
    results = [answer.wait() for answer in answers]
    answered = time.perf_counter()
    committed = sum(
        session.unmasking.commit(result["CANDIDATES"], result["CONFIDENCES"])
        for session, result in zip(active, results)
    )
    ended = time.perf_counter()
    # A forward is reported by each of its steps.
    shares = [1 / int(result["BATCH_STEPS"][0]) for result in results]
    micros = sum(int(result["FORWARD_MICROS"][0]) * share for result, share in zip(results, shares))
    return Round(ended - began, micros / 1e6, ended - answered, committed, sum(shares))


class _Session:
    def __init__(
        self, scheduler: Scheduler[DenoiserCanvas], index: int, prompt: Prompt, reply: int, kind: Kind
    ) -> None:
        self._scheduler, self._name = scheduler, f"{index:032x}"
        self._window = Window(prompt.length, prompt.length + reply)
        self.unmasking = Unmasking(self._window.start, self._window.end, kind.rule)
        opened = _Answer()
        scheduler.submit(Open(self._name, CanvasLayout(prompt.length, reply, cache=kind.cache)), opened)
        opened.wait()
        for position, rows in ((0, prompt.picture), (len(prompt.picture), prompt.text)):
            written = _Answer()
            scheduler.submit(Write(self._name, position, rows), written)
            written.wait()

    def submit(self, number: int, full: bool, together: int) -> _Answer:
        forward: Forward = Full() if full else self._window
        step = Step(self.unmasking.masked, forward, *self.unmasking.written)
        answer = _Answer()
        self._scheduler.submit(RunStep(self._name, number, step, f"{number}", together), answer)
        return answer

    def close(self) -> None:
        closed = _Answer()
        self._scheduler.submit(Close(self._name), closed)
        closed.wait()


def random_prompts(picture: Floats, text_positions: int, vocabulary: int, count: int) -> list[Prompt]:
    """Returns prompts of one picture with different texts of random tokens."""
    random = np.random.default_rng(1)
    return [Prompt(picture, random.integers(0, vocabulary, text_positions, np.int32)) for _ in range(count)]
