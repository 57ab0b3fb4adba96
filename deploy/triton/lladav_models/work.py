"""What is asked of the language tower, and what it answers. The meanings are those of the Java interfaces
`DenoiserEngine`, `DenoiserSession` and `StepWork`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

import numpy as np

from .errors import invalid

LENGTH_MAX = 1 << 18
"""The longest canvas."""

Ints: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.int32]]"
Floats: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"
Doubles: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"


class Cache(IntEnum):
    """What a session keeps of one forward for later ones."""

    NONE = 0
    KEYS_AND_VALUES = 1
    """Keys and values of every position, for `Window` (Fast-dLLM, arXiv 2505.22618)."""
    FEATURES = 2
    """Those, and the outputs of attention and MLP blocks, for `Features` (dLLM-Cache, arXiv 2506.06295)."""


class Certainty(IntEnum):
    """How sure the model is of a position, by p, softmax after guidance, bias and suppression at temperature 1."""

    CONFIDENCE = 0
    """p of the candidate."""
    NEGATIVE_ENTROPY = 1
    """Sum of p ln p, in nats."""
    MARGIN = 2
    """The largest p less the second largest."""


@dataclass(frozen=True)
class CanvasLayout:
    """The parts of a canvas of N positions: prompt (P), generated part, suffix.

    `turns`: with dialogue-causal attention the turn of each position; a position sees its own and earlier turns.
    `transfer_count`: with `Cache.FEATURES`, how many positions behind the prompt are computed anew where that part is
    not refreshed. Refuses values out of range.
    """

    prompt: int
    generated: int
    suffix: int = 0
    guided: bool = False
    cache: Cache = Cache.NONE
    transfer_count: int = 0
    turns: Ints | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("LAYOUT: promptLength", self.prompt, 1),
            ("LAYOUT: generatedLength", self.generated, 1),
            ("LAYOUT: suffixLength", self.suffix, 0),
            ("LAYOUT: canvas length", self.length, 2),
        ):
            if not least <= value <= LENGTH_MAX:
                raise invalid(name, value, f"{least}..{LENGTH_MAX}")
        if not 0 <= self.transfer_count <= self.length - self.prompt:
            raise invalid(
                "LAYOUT: transferCount",
                self.transfer_count,
                f"0..{self.length - self.prompt}, the positions behind the prompt",
            )
        if self.turns is not None and len(self.turns) != self.length:
            raise invalid("TURNS", f"{len(self.turns)} numbers", f"{self.length}, one per position")

    @property
    def length(self) -> int:
        """N."""
        return self.prompt + self.generated + self.suffix

    @property
    def sequences(self) -> int:
        """1, or 2 with guidance: the canvas, and the canvas without its prompt."""
        return 2 if self.guided else 1


@dataclass(frozen=True)
class Full:
    """All positions are computed anew; refreshes everything the session keeps."""


@dataclass(frozen=True)
class Window:
    """Positions `start..end-1` are; they see the kept keys and values of all others."""

    start: int
    end: int


@dataclass(frozen=True)
class Features:
    """The named parts are; of the generated part and suffix, if it is not, those that have changed most."""

    prompt: bool
    generated: bool


Forward: TypeAlias = Full | Window | Features


@dataclass(frozen=True)
class Step:
    """At which positions candidates are wanted, and how they are chosen.

    `write_positions`, `write_ids`: what changes on the canvas before it. `positions`: canvas positions, ascending.
    `temperature`: 0 for the largest logit, else a draw by one of `uniforms` per position. `guidance`: logits =
    u + (guidance + 1)(c - u), 0 for none.
    """

    positions: Ints
    forward: Forward = Full()
    write_positions: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    write_ids: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    temperature: float = 0.0
    uniforms: Doubles = field(default_factory=lambda: np.empty(0))
    guidance: float = 0.0
    certainty: Certainty = Certainty.CONFIDENCE


@dataclass(frozen=True)
class StepResult:
    """One of each per asked position. A confidence that is no number comes of weights or embeddings that are none."""

    candidates: Ints
    confidences: Floats
    certainties: Floats


def require_fits(step: Step, layout: CanvasLayout, refreshed: int, vocabulary: int) -> None:
    """Refuses a step that its canvas cannot serve; nothing has been changed then.

    `refreshed`: how many sequences the session has kept of a full forward.
    """
    _require_writes(step, layout, vocabulary)
    positions = step.positions
    if len(positions) == 0:
        raise invalid("POSITIONS", "none", "at least one")
    if positions[0] < 0 or positions[-1] >= layout.length or bool(np.any(np.diff(positions) <= 0)):
        raise invalid(
            "POSITIONS", f"{positions[0]}..{positions[-1]}", f"ascending, each once, within 0..{layout.length - 1}"
        )
    if not 0 <= step.temperature < float("inf"):
        raise invalid("TEMPERATURE", step.temperature, ">= 0, finite")
    wanted = len(positions) if step.temperature > 0 else 0
    if len(step.uniforms) != wanted:
        raise invalid(
            "UNIFORMS", f"{len(step.uniforms)} numbers", f"{wanted}, one per position at a temperature above 0"
        )
    if wanted and not bool(np.all((step.uniforms >= 0) & (step.uniforms < 1))):
        raise invalid("UNIFORMS", "a number outside", "[0, 1)")
    if not 0 <= step.guidance <= float(np.finfo(np.float32).max):
        raise invalid("GUIDANCE", step.guidance, ">= 0, finite")
    if step.guidance > 0 and not layout.guided:
        raise invalid("GUIDANCE", step.guidance, "0, the session was opened without guidance")
    _require_forward(step, layout, refreshed)


def _require_writes(step: Step, layout: CanvasLayout, vocabulary: int) -> None:
    positions, ids = step.write_positions, step.write_ids
    if len(positions) != len(ids):
        raise invalid("WRITE_IDS", f"{len(ids)} ids", f"{len(positions)}, one per position of WRITE_POSITIONS")
    if len(positions) == 0:
        return
    if positions.min() < 0 or positions.max() >= layout.length:
        raise invalid("WRITE_POSITIONS", f"{positions.min()}..{positions.max()}", f"0..{layout.length - 1}")
    if len(np.unique(positions)) != len(positions):
        raise invalid("WRITE_POSITIONS", "one of them twice", "each once")
    require_ids("WRITE_IDS", ids, vocabulary)


def require_ids(field: str, ids: Ints, vocabulary: int) -> None:
    """Refuses ids that no token has."""
    wrong = ids[(ids < 0) | (ids >= vocabulary)]
    if len(wrong):
        raise invalid(field, wrong[0], f"0..{vocabulary - 1}")


def _require_forward(step: Step, layout: CanvasLayout, refreshed: int) -> None:
    match step.forward:
        case Full():
            return
        case Window(start, end):
            needed = Cache.KEYS_AND_VALUES
            first, last = step.positions[0], step.positions[-1]
            if not 0 <= start < end <= layout.length or first < start or last >= end:
                raise invalid(
                    "FORWARD: window",
                    f"{start}..{end}",
                    f"within 0..{layout.length}, around the positions {first}..{last}",
                )
        case Features():
            needed = Cache.FEATURES
            # Nothing is made of the prompt where it is not refreshed, and of the last layer only what lies behind it.
            if step.positions[0] < layout.prompt:
                raise invalid("POSITIONS", step.positions[0], f"{layout.prompt}.., behind the prompt")
    if layout.cache != needed:
        raise invalid("FORWARD", step.forward, f"one that the session's cache serves: {layout.cache.name}")
    if refreshed < (2 if step.guidance > 0 else 1):
        raise invalid("FORWARD", step.forward, "a full one first, with guidance if this one has it")
