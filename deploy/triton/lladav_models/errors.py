"""What goes wrong, in words for the one who can mend it. Messages name field, value and allowed range, never paths of
this process or its stack; those go to the log."""

from __future__ import annotations

from enum import Enum
from typing import NoReturn


class Code(Enum):
    """What kind of refusal, for programs."""

    INVALID = "INVALID"
    """The request contradicts itself or the model; do not repeat it."""
    NOT_FOUND = "NOT_FOUND"
    """No such session: it never was, was closed, or was idle for too long."""
    OVERLOADED = "OVERLOADED"
    """No room now; repeat later or elsewhere."""
    OUT_OF_ORDER = "OUT_OF_ORDER"
    """The step's number is neither the next nor the last."""
    CANCELLED = "CANCELLED"
    """The session's stream has gone, or the model is being unloaded."""
    INTERNAL = "INTERNAL"
    """The arithmetic failed; the session is gone."""


class Refusal(Exception):
    """An operation that is not carried out. Its text is `CODE: message`."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code.value}: {message}")
        self.code = code


class LoadError(Exception):
    """A model that cannot be loaded, in one sentence: what is wrong and what to do."""


def invalid(field: str, value: object, expected: str) -> Refusal:
    """A refusal of one field of a request."""
    return Refusal(Code.INVALID, f"{field}: {value} (expected: {expected})")


def fail_load(message: str) -> NoReturn:
    """Ends loading."""
    raise LoadError(message)
