"""What an operator chooses, by environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .errors import fail_load

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_SESSION_BYTES = 4 << 30
# What is left to activations, of the memory that is free when the weights are loaded.
_CUDA_SESSION_SHARE = 0.75


@dataclass(frozen=True)
class Settings:
    """Where the checkpoint is, and how it is computed with.

    `checkpoint` (`LLADAV_CHECKPOINT`): its directory. `precision` (`LLADAV_PRECISION`: fp32, bf16 or fp16; default
    fp32): of matrices and attention. `device` (`LLADAV_DEVICE`: auto, cpu or cuda; default auto: the GPU that the
    instance was given, else the CPU). `cuda_graphs` (`LLADAV_CUDA_GRAPHS`: 0 or 1; default 0): whether windows of
    cached canvases are computed by recorded graphs.
    """

    checkpoint: Path
    precision: str
    device: torch.device
    cuda_graphs: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """The type of weights."""
        return _DTYPES[self.precision]

    @property
    def device_kind(self) -> str:
        """What the identity says of the device: equal kinds round equally."""
        if self.device.type == "cpu":
            return "cpu"
        major, minor = torch.cuda.get_device_capability(self.device)
        return f"cuda-{major}.{minor}"

    @staticmethod
    def read(environment: Mapping[str, str] = os.environ, instance_device: int = 0) -> Settings:
        """Reads the environment; `instance_device` is the GPU of the model's instance. Fails with LoadError."""
        # The server hands tensors to a Python process with numpy 2 as zeros, without an error.
        if int(np.__version__.split(".")[0]) >= 2:
            fail_load(f"numpy: {np.__version__} (expected: below 2); install requirements-local.txt")
        checkpoint = environment.get("LLADAV_CHECKPOINT", "")
        if not checkpoint:
            fail_load("LLADAV_CHECKPOINT: not set (expected: the directory of the checkpoint)")
        if not Path(checkpoint).is_dir():
            fail_load(f"LLADAV_CHECKPOINT: {checkpoint} (expected: a directory)")
        precision = environment.get("LLADAV_PRECISION", "fp32")
        if precision not in _DTYPES:
            fail_load(f"LLADAV_PRECISION: {precision} (expected: {', '.join(_DTYPES)})")
        wanted = environment.get("LLADAV_DEVICE", "auto")
        if wanted not in ("auto", "cpu", "cuda"):
            fail_load(f"LLADAV_DEVICE: {wanted} (expected: auto, cpu, cuda)")
        has_cuda = torch.cuda.is_available()
        if wanted == "cuda" and not has_cuda:
            fail_load("LLADAV_DEVICE: cuda (expected: cpu or auto, PyTorch finds no usable GPU)")
        on_cuda = wanted != "cpu" and has_cuda
        device = torch.device("cuda", instance_device) if on_cuda else torch.device("cpu")
        graphs = environment.get("LLADAV_CUDA_GRAPHS", "0")
        if graphs not in ("0", "1") or (graphs == "1" and not on_cuda):
            fail_load(f"LLADAV_CUDA_GRAPHS: {graphs} (expected: 0, or 1 on a GPU; the device is {device.type})")
        # TF32 keeps 10 of 23 bits: not fp32.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        return Settings(Path(checkpoint), precision, device, graphs == "1")


@dataclass(frozen=True)
class Limits:
    """How much the language tower takes on at once.

    `sessions_max` (`LLADAV_SESSIONS_MAX`, 64). `session_bytes_max` (`LLADAV_SESSION_BYTES_MAX`; default 4 GiB on a
    CPU, three quarters of what is free after loading on a GPU): memory of all sessions together. `idle_seconds`
    (`LLADAV_IDLE_SECONDS`, 300): how long a session may go without an operation. `batch_rows_max`
    (`LLADAV_BATCH_ROWS_MAX`, 16384): rows that share a forward; a step with more runs alone.
    """

    sessions_max: int = 64
    session_bytes_max: int = _CPU_SESSION_BYTES
    idle_seconds: int = 300
    batch_rows_max: int = 16384

    @staticmethod
    def read(device: torch.device, environment: Mapping[str, str] = os.environ) -> Limits:
        """Reads the environment; to be called when the weights are loaded. Fails with LoadError."""
        session_bytes = _CPU_SESSION_BYTES
        if device.type == "cuda":
            session_bytes = int(torch.cuda.mem_get_info(device)[0] * _CUDA_SESSION_SHARE)
        return Limits(
            _positive(environment, "LLADAV_SESSIONS_MAX", 64),
            _positive(environment, "LLADAV_SESSION_BYTES_MAX", session_bytes),
            _positive(environment, "LLADAV_IDLE_SECONDS", 300),
            _positive(environment, "LLADAV_BATCH_ROWS_MAX", 16384),
        )


def _positive(environment: Mapping[str, str], name: str, fallback: int) -> int:
    text = environment.get(name, "") or str(fallback)
    if not text.isdecimal() or int(text) < 1:
        fail_load(f"{name}: {text} (expected: a whole number of at least 1)")
    return int(text)
