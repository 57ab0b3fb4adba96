"""What a model says of itself: equal identities over equal checkpoints give equal numbers."""

from __future__ import annotations

import json

from . import NUMERICS_VERSION
from .checkpoint import Checkpoint
from .settings import Settings


def identity(checkpoint: Checkpoint, settings: Settings, **more: object) -> str:
    """Returns JSON: `checkpoint` (its digest), `precision`, `numerics`, `device`, and what the model adds."""
    own = {
        "checkpoint": checkpoint.digest(),
        "precision": settings.precision,
        "numerics": NUMERICS_VERSION,
        "device": settings.device_kind,
    }
    return json.dumps(own | more)
