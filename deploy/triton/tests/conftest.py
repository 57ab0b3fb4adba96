"""Golden data and engines over its checkpoints, for all tests. Run: `python -m pytest deploy/triton/tests`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lladav_models import safetensors
from lladav_models.checkpoint import Checkpoint
from lladav_models.denoiser import Denoiser
from lladav_models.settings import Settings

# Threads of small products wait for each other more than they compute.
torch.set_num_threads(1)
CONFORMANCE = Path(__file__).resolve().parents[3] / "conformance"
CHECKPOINTS = ("tiny-a", "tiny-b", "tiny-c", "tiny-d")


def settings(name: str, precision: str = "fp32") -> Settings:
    """Settings of a golden checkpoint on the CPU."""
    return Settings(CONFORMANCE / "checkpoints" / name, precision, torch.device("cpu"))


@cache
def checkpoint(name: str) -> Checkpoint:
    """An opened golden checkpoint."""
    return Checkpoint(settings(name).checkpoint)


@cache
def denoiser(name: str, precision: str = "fp32") -> Denoiser:
    """A language tower over a golden checkpoint."""
    return Denoiser(checkpoint(name), settings(name, precision))


@cache
def golden(name: str) -> tuple[dict[str, Any], Mapping[str, torch.Tensor]]:
    """The description and the tensors of one file in `tensors/`."""
    described: dict[str, Any] = json.loads((CONFORMANCE / "tensors" / f"{name}.json").read_text())
    stored = safetensors.read(CONFORMANCE / "tensors" / f"{name}.safetensors")
    return described, {key: tensor.view() for key, tensor in stored.items()}


def assert_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    """Within 1e-4 of the largest absolute value, as the golden data ask."""
    assert actual.shape == expected.shape
    error = (actual.double() - expected.double()).abs().max() / expected.double().abs().max()
    assert error < 1e-4, f"relative error {error:.2e}"


def ints(values: Any) -> np.ndarray[Any, Any]:
    """32-bit integers of anything."""
    return np.asarray(values, np.int32)


@pytest.fixture
def broken_copy(tmp_path: Path) -> Callable[[str, Callable[[Path], None]], Path]:
    """Copies a golden checkpoint and lets something be done to the copy."""

    def copy(name: str, damage: Callable[[Path], None]) -> Path:
        for file in (CONFORMANCE / "checkpoints" / name).iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        damage(tmp_path)
        return tmp_path

    return copy
