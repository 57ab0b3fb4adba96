"""The operations of the model `llada`, and how they are read from a request's tensors. `deploy/triton/PROTOCOL.md`
describes them tensor by tensor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .errors import invalid
from .work import Cache, CanvasLayout, Certainty, Features, Floats, Forward, Full, Ints, Step, Window

Tensors: TypeAlias = Mapping[str, "np.ndarray[Any, Any]"]
"""Inputs or outputs of a request, by name."""


@dataclass(frozen=True)
class Describe:
    """What is served, and whether the scheduler lives."""


@dataclass(frozen=True)
class Open:
    """A new session."""

    session: str
    layout: CanvasLayout


@dataclass(frozen=True)
class Write:
    """Tokens `(count)` or embeddings `(count, D)` at consecutive positions."""

    session: str
    position: int
    rows: Ints | Floats


@dataclass(frozen=True)
class Bias:
    """What is added to the logits of some ids from now on."""

    session: str
    ids: Ints
    values: Floats


@dataclass(frozen=True)
class RunStep:
    """A numbered step. `batch`: a name that `batch_size` steps bear which come together; empty for none."""

    session: str
    number: int
    step: Step
    batch: str = ""
    batch_size: int = 1


@dataclass(frozen=True)
class Close:
    """The end of a session."""

    session: str


InSession: TypeAlias = Write | Bias | RunStep
Operation: TypeAlias = Describe | Open | Close | InSession

_SESSION = re.compile(r"[0-9a-f]{32}")
_BATCH_SIZE_MAX = 1024


def read(tensors: Tensors) -> Operation:
    """Reads an operation; copies what it keeps. Refuses what is missing, of a wrong size or out of range."""
    inputs = _Inputs(tensors)
    match op := inputs.text("OP"):
        case "describe":
            return Describe()
        case "open":
            return Open(inputs.session(), _layout(inputs))
        case "write":
            return _write(inputs)
        case "bias":
            ids = inputs.array("BIAS_IDS", np.int32)
            return Bias(inputs.session(), ids, inputs.array("BIAS_VALUES", np.float32))
        case "step":
            return RunStep(
                inputs.session(),
                int(inputs.number("NUMBER", np.int64)),
                _step(inputs),
                inputs.text("BATCH", ""),
                inputs.within("BATCH_SIZE", 1, _BATCH_SIZE_MAX, 1),
            )
        case "close":
            return Close(inputs.session())
        case _:
            raise invalid("OP", op[:20], "describe, open, write, bias, step, close")


def _layout(inputs: _Inputs) -> CanvasLayout:
    prompt, generated, suffix, guided, cache, transfers = inputs.array("LAYOUT", np.int32, 6).tolist()
    if guided not in (0, 1):
        raise invalid("LAYOUT: guided", guided, "0 or 1")
    if cache not in (kind.value for kind in Cache):
        raise invalid("LAYOUT: cacheKind", cache, "0 none, 1 keys and values, 2 features")
    if cache != Cache.FEATURES and transfers != 0:
        raise invalid("LAYOUT: transferCount", transfers, "0, only cacheKind 2 transfers")
    turns = inputs.array("TURNS", np.int32) if "TURNS" in inputs else None
    return CanvasLayout(prompt, generated, suffix, guided == 1, Cache(cache), transfers, turns)


def _write(inputs: _Inputs) -> Write:
    if ("IDS" in inputs) == ("EMBEDDINGS" in inputs):
        raise invalid("IDS, EMBEDDINGS", "both" if "IDS" in inputs else "neither", "one of them")
    rows = inputs.array("IDS", np.int32) if "IDS" in inputs else inputs.array("EMBEDDINGS", np.float32, dimensions=2)
    return Write(inputs.session(), int(inputs.number("POSITION", np.int32)), rows)


def _step(inputs: _Inputs) -> Step:
    certainty = inputs.within("CERTAINTY", 0, len(Certainty) - 1, 0)
    return Step(
        positions=inputs.array("POSITIONS", np.int32),
        forward=_forward(inputs),
        write_positions=inputs.optional("WRITE_POSITIONS", np.int32),
        write_ids=inputs.optional("WRITE_IDS", np.int32),
        temperature=float(inputs.number("TEMPERATURE", np.float64, 0.0)),
        uniforms=inputs.optional("UNIFORMS", np.float64),
        guidance=float(inputs.number("GUIDANCE", np.float64, 0.0)),
        certainty=Certainty(certainty),
    )


def _forward(inputs: _Inputs) -> Forward:
    if "FORWARD" not in inputs:
        return Full()
    kind, first, second = inputs.array("FORWARD", np.int32, 3).tolist()
    match kind:
        case 0:
            return Full()
        case 1:
            return Window(first, second)
        case 2 if first in (0, 1) and second in (0, 1):
            return Features(first == 1, second == 1)
        case _:
            raise invalid("FORWARD", [kind, first, second], "0 _ _, 1 start end, 2 prompt(0|1) generated(0|1)")


@dataclass(frozen=True)
class _Inputs:
    tensors: Tensors

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def array(
        self, name: str, dtype: type, count: int | None = None, dimensions: int = 1
    ) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
        """Returns a copy: the server reuses a request's buffers."""
        if name not in self.tensors:
            raise invalid(name, "missing", "one tensor of this name")
        value = self.tensors[name]
        if value.dtype != dtype or value.ndim != dimensions or (count is not None and len(value) != count):
            sizes = "any" if count is None else count
            raise invalid(
                name,
                f"{value.dtype} of shape {list(value.shape)}",
                f"{np.dtype(dtype)} of {dimensions} dimension(s), {sizes} long",
            )
        return value.copy()

    def optional(self, name: str, dtype: type) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
        return self.array(name, dtype) if name in self else np.empty(0, dtype)

    def number(self, name: str, dtype: type, fallback: float | None = None) -> Any:
        return fallback if fallback is not None and name not in self else self.array(name, dtype, 1)[0]

    def within(self, name: str, least: int, most: int, fallback: int) -> int:
        value = int(self.number(name, np.int32, fallback))
        if not least <= value <= most:
            raise invalid(name, value, f"{least}..{most}")
        return value

    def text(self, name: str, fallback: str | None = None) -> str:
        if fallback is not None and name not in self:
            return fallback
        value = self.array(name, np.object_, 1)[0]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def session(self) -> str:
        name = self.text("SESSION")
        if not _SESSION.fullmatch(name):
            raise invalid("SESSION", f"{len(name)} characters", "128 random bits as 32 lower-case hexadecimal digits")
        return name
