"""Reads safetensors files: 8 bytes of header length, a JSON object of tensor descriptions, then the tensors' bytes
without gaps (https://huggingface.co/docs/safetensors). Files are mapped, so that only what is used is read."""

from __future__ import annotations

import json
import math
import mmap
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .errors import LoadError

_HEADER_BYTES_MAX = 16 << 20
_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool,
}  # fmt: skip


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a mapped file. `dtype` is the file's word for its type."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    _map: mmap.mmap
    _begin: int

    def view(self) -> torch.Tensor:
        """Returns the tensor where it is mapped; it must not be written to."""
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=_DTYPES[self.dtype])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The given buffer is not writable")
            flat = torch.frombuffer(
                self._map, dtype=_DTYPES[self.dtype], count=math.prod(self.shape), offset=self._begin
            )
        return flat.view(self.shape)


def read(path: Path) -> dict[str, StoredTensor]:
    """Maps a file and returns its tensors by name.

    Fails with LoadError if it is missing, truncated, or its header contradicts itself.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            _require(path, size >= 8, f"{size} bytes long, too short for a header; copy the file again")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as e:
        raise LoadError(f"{path}: no such file; copy the complete checkpoint directory") from e
    except OSError as e:
        raise LoadError(f"{path}: cannot be read ({e.strerror})") from e
    length = int.from_bytes(mapped[:8], "little")
    _require(path, 2 <= length <= _HEADER_BYTES_MAX, f"header of {length} bytes (expected: 2..{_HEADER_BYTES_MAX})")
    _require(
        path,
        length <= size - 8,
        f"truncated: {size} bytes long, but its header alone takes {length + 8}; copy the file again",
    )
    header = _parse(path, mapped[8 : 8 + length])
    spans = sorted(
        (_span(path, name, description, size - 8 - length) for name, description in header.items()
         if name != "__metadata__"),
        key=lambda span: (span[3], span[4]),
    )  # fmt: skip
    end = 0
    for name, _, _, begin, stop in spans:
        _require(
            path, begin == end,
            f"{name} begins at byte {begin} of the data (expected: {end}, where the one before it ends)",
        )  # fmt: skip
        end = stop
    left = size - 8 - length - end
    _require(path, left == 0, f"{left} bytes follow the last tensor; copy the file again")
    return {
        name: StoredTensor(name, dtype, shape, mapped, 8 + length + begin) for name, dtype, shape, begin, _ in spans
    }


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name twice")
        return dict(pairs)

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as e:
        raise LoadError(f"{path}: header is not valid JSON ({e})") from e
    if not isinstance(header, dict):
        raise LoadError(f"{path}: header is not a JSON object")
    return header


def _span(path: Path, name: str, description: Any, data_bytes: int) -> tuple[str, str, tuple[int, ...], int, int]:
    _require(path, isinstance(description, dict), f"{name}: no description")
    dtype = description.get("dtype")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise LoadError(f'{path}: {name}: dtype: "{dtype}" (expected one of {", ".join(_DTYPES)})')
    shape = _numbers(path, name, "shape", description.get("shape"))
    offsets = _numbers(path, name, "data_offsets", description.get("data_offsets"))
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise LoadError(f"{path}: {name}: data_offsets: {list(offsets)} (expected: [begin, end])")
    begin, end = offsets
    _require(
        path,
        end <= data_bytes,
        f"truncated: {name} ends at byte {end} of the data, but only {data_bytes} are there; copy the file again",
    )
    _require(
        path,
        math.prod(shape) * _DTYPES[dtype].itemsize == end - begin,
        f"{name}: {dtype} of shape {list(shape)} does not fill bytes {begin}..{end}",
    )
    return name, dtype, shape, begin, end


def _numbers(path: Path, name: str, field: str, value: Any) -> tuple[int, ...]:
    _require(path, isinstance(value, list), f"{name}: {field} is missing or no list")
    _require(
        path,
        all(type(number) is int and 0 <= number < 1 << 63 for number in value),
        f"{name}: {field}: {value} (expected: whole numbers >= 0)",
    )
    return tuple(value)


def _require(path: Path, holds: bool, message: str) -> None:
    if not holds:
        raise LoadError(f"{path}: {message}")
