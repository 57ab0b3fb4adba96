"""A checkpoint directory as published: `config.json`, safetensors files and the tokenizer's files."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch

from . import safetensors
from .config import ConfigFile, LanguageConfig, VisionConfig, read_object
from .errors import LoadError
from .safetensors import StoredTensor

_VISION_TOWER = "model.vision_tower.vision_tower."
_WEIGHT_TYPES = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class Tokens:
    """What the tokenizer's files say about ids: how many there are, the mask, and those that are never a candidate
    (end of text, start of text, header start, header end)."""

    count: int
    mask: int
    suppressed: tuple[int, ...]


class Weights(Protocol):
    """What the networks are built of: a `Checkpoint`, or tensors made on the spot."""

    @property
    def language(self) -> LanguageConfig:
        """Sizes of the language tower."""

    @property
    def vision(self) -> VisionConfig:
        """Sizes of the vision tower."""

    @property
    def has_image_newline(self) -> bool:
        """Whether there is a row separator."""

    @property
    def tokens(self) -> Tokens:
        """Ids that have a meaning."""

    def tensor(self, name: str, *shape: int) -> torch.Tensor:
        """Returns a weight of this shape, of any float type and on any device; it must not be written to. Fails with
        LoadError."""


class Checkpoint:
    """An opened directory. Sizes are checked when it is opened, tensors when they are asked for."""

    def __init__(self, directory: Path) -> None:
        """Opens it. Fails with LoadError naming what is missing, broken or not supported."""
        config = ConfigFile.read(directory / "config.json")
        self.directory = directory
        self.language = LanguageConfig.read(config)
        self.vision = VisionConfig.read(config)
        # Merge types with `unpad` end rows with this vector; in others it does not exist.
        self.has_image_newline = "unpad" in config.text("mm_patch_merge_type", "flat").split("_")
        _require_supported(config, self.vision)
        self._files, self._tensors = _open_weights(directory)
        first_vision = _VISION_TOWER + "vision_model.embeddings.patch_embedding.weight"
        last_vision = f"{_VISION_TOWER}vision_model.encoder.layers.{self.vision.layers_run - 1}.mlp.fc2.bias"
        if not {first_vision, last_vision} <= self._tensors.keys():
            self._complete_vision_tower(config.text("mm_vision_tower", ""))

    def has(self, name: str) -> bool:
        """Returns whether a tensor is stored."""
        return name in self._tensors

    def tensor(self, name: str, *shape: int) -> torch.Tensor:
        """Returns a weight where it is mapped; it must not be written to.

        Fails with LoadError if it is missing, has another shape, or is not stored as floats.
        """
        stored = self._tensors.get(name)
        if stored is None:
            raise LoadError(f"{self.directory}: no tensor {name}; copy all files of the checkpoint")
        if stored.shape != shape:
            raise LoadError(
                f"{self.directory}: {name}: stored shape {list(stored.shape)} (expected by config.json: {list(shape)})"
            )
        if stored.dtype not in _WEIGHT_TYPES:
            raise LoadError(f"{self.directory}: {name}: stored as {stored.dtype} (expected: F32, F16 or BF16)")
        return stored.view()

    @cached_property
    def tokens(self) -> Tokens:
        """What the tokenizer's files say. Fails with LoadError."""
        path = self.directory / "tokenizer.json"
        added = self._added_tokens()
        vocabulary = read_object(path).get("model", {}).get("vocab")
        if not isinstance(vocabulary, dict):
            raise LoadError(f"{path}: no model.vocab (expected: a byte-pair vocabulary)")
        count = len(vocabulary.keys() | added.keys())
        if count > self.language.vocabulary_rows:
            raise LoadError(
                f"{self.directory}: vocab_size: {self.language.vocabulary_rows} (expected: at least the tokenizer's"
                f" {count} tokens); config.json and tokenizer.json do not belong together"
            )

        def special(text: str) -> int:
            token = added.get(text)
            if token is None or not 0 <= token < count:
                raise LoadError(
                    f"{path}: added token {text}: {token} (expected: 0..{count - 1}, as in the tokenizer of a LLaDA-V"
                    " checkpoint)"
                )
            return token

        suppressed = ("<|endoftext|>", "<|startoftext|>", "<|start_header_id|>", "<|end_header_id|>")
        return Tokens(count, special("<|mdm_mask|>"), tuple(special(text) for text in suppressed))

    def _added_tokens(self) -> dict[str, int]:
        """The union of both files, as the public tokenizer uses it."""
        ids: dict[str, int] = {}
        for file, read in (("tokenizer.json", _added_tokens), ("tokenizer_config.json", _added_tokens_decoder)):
            path = self.directory / file
            try:
                for text, token in read(read_object(path)):
                    if ids.setdefault(text, token) != token:
                        raise LoadError(
                            f"{path}: {text} has id {token}, but {ids[text]} in tokenizer.json; use files of one"
                            " checkpoint"
                        )
            except (AttributeError, KeyError, TypeError, ValueError) as e:
                raise LoadError(f"{path}: an added token without id or content; copy the file again") from e
        return ids

    @cached_property
    def _digest(self) -> Future[str]:
        executor = ThreadPoolExecutor(1, "digest")
        future = executor.submit(self._compute_digest)
        executor.shutdown(wait=False)
        return future

    def start_digest(self) -> None:
        """Begins to compute the digest on another thread: it reads every byte of the directory's weights."""
        _ = self._digest

    def digest(self) -> str:
        """Returns SHA-256, in lower-case hexadecimal, over the bytes of `config.json`, `tokenizer.json`,
        `tokenizer_config.json` and then the weight files in name order (those of the vision tower's own directory
        last, if they were needed): the same as all services of the cluster compute."""
        return self._digest.result()

    def _compute_digest(self) -> str:
        sha256 = hashlib.sha256()
        names = ("config.json", "tokenizer.json", "tokenizer_config.json")
        for path in [*(self.directory / name for name in names), *self._files]:
            try:
                with path.open("rb") as file:
                    while chunk := file.read(1 << 20):
                        sha256.update(chunk)
            except OSError as e:
                raise LoadError(f"{path}: cannot be read ({e.strerror}); copy the complete checkpoint directory") from e
        return sha256.hexdigest()

    def _complete_vision_tower(self, named: str) -> None:
        """A checkpoint without the vision tower's weights is completed from the directory that it names."""
        candidates = [self.directory / named, Path(named)] if named else []
        for directory in candidates:
            if directory.is_dir():
                files, tensors = _open_weights(directory)
                self._files += files
                for name, tensor in tensors.items():
                    if name.startswith("vision_model."):
                        self._tensors.setdefault(_VISION_TOWER + name, tensor)
                return


def _added_tokens(tokenizer: dict[str, Any]) -> list[tuple[str, int]]:
    return [(str(token["content"]), int(token["id"])) for token in tokenizer.get("added_tokens", [])]


def _added_tokens_decoder(config: dict[str, Any]) -> list[tuple[str, int]]:
    return [(str(token["content"]), int(key)) for key, token in config.get("added_tokens_decoder", {}).items()]


def vision_name(part: str) -> str:
    """Returns the full name of a weight of the vision tower."""
    return f"{_VISION_TOWER}vision_model.{part}"


def _require_supported(config: ConfigFile, vision: VisionConfig) -> None:
    if config.text("mm_projector_type", "") != "mlp2x_gelu":
        raise config.wrong("mm_projector_type", "mlp2x_gelu")
    # The public loader would add tokens to the tokenizer, and so rows that were never trained.
    for key, absent in (("mm_use_im_patch_token", True), ("mm_use_im_start_end", False)):
        if config.flag(key, absent):
            raise config.wrong(key, "false, as published; tokens added for pictures are not supported")
    config.integer("mm_hidden_size", vision.width, vision.width, vision.width)


def _open_weights(directory: Path) -> tuple[list[Path], dict[str, StoredTensor]]:
    index = directory / "model.safetensors.index.json"
    if index.exists():
        names = read_object(index).get("weight_map")
        if not isinstance(names, dict):
            raise LoadError(f"{index}: weight_map: missing")
        for name in names.values():
            if not isinstance(name, str) or not name or Path(name).name != name:
                raise LoadError(f'{index}: weight_map: "{name}" (expected: the name of a file beside it)')
        files = [directory / name for name in sorted(set(names.values()))]
    else:
        files = sorted(directory.glob("model*.safetensors"))
        if not files:
            raise LoadError(
                f"{directory}: no model*.safetensors; weights in other formats must be converted to safetensors"
            )
    tensors: dict[str, StoredTensor] = {}
    for file in files:
        for name, tensor in safetensors.read(file).items():
            if name in tensors:
                raise LoadError(
                    f"{file}: {name} is stored in another file of the directory as well; remove the files that do not"
                    " belong to this checkpoint"
                )
            tensors[name] = tensor
    return files, tensors
