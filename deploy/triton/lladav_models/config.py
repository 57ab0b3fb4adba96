"""Sizes and constants of the model, from `config.json`. Hard-coded is only what the public code hard-codes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import LoadError

_FILE_BYTES_MAX = 64 << 20


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON object. Fails with LoadError."""
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise LoadError(f"{path}: {path.stat().st_size} bytes (expected: at most {_FILE_BYTES_MAX})")
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as e:
        raise LoadError(f"{path}: no such file; name the directory that holds the whole checkpoint") from e
    except OSError as e:
        raise LoadError(f"{path}: cannot be read ({e.strerror})") from e
    except (ValueError, RecursionError) as e:
        raise LoadError(f"{path}: not valid JSON ({e})") from e
    if not isinstance(value, dict):
        raise LoadError(f"{path}: not a JSON object")
    return value


@dataclass(frozen=True)
class ConfigFile:
    """Settings read by name and type. A key with the value null counts as absent, as in the public code."""

    path: Path
    values: dict[str, Any]
    prefix: str = ""

    @staticmethod
    def read(path: Path) -> ConfigFile:
        """Reads a file. Fails with LoadError."""
        return ConfigFile(path, read_object(path))

    def integer(self, key: str, least: int, most: int, fallback: int | None = None) -> int:
        """Returns a whole number in a range."""
        value = self._get(key, fallback)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(key, f"{least}..{most}")
        return value

    def number(self, key: str, above: float, below: float, fallback: float | None = None) -> float:
        """Returns a number between two bounds, neither of them itself."""
        value = self._get(key, fallback)
        if type(value) not in (int, float) or not above < value < below:
            raise self.wrong(key, f"({above}, {below})")
        return float(value)

    def flag(self, key: str, fallback: bool) -> bool:
        """Returns true or false."""
        value = self._get(key, fallback)
        if type(value) is not bool:
            raise self.wrong(key, "true or false")
        return value

    def text(self, key: str, fallback: str) -> str:
        """Returns a string; any other value as JSON."""
        value = self._get(key, fallback)
        return value if isinstance(value, str) else json.dumps(value)

    def object(self, key: str) -> ConfigFile | None:
        """Returns the settings below a key, if it is there."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return ConfigFile(self.path, value, f"{self.prefix}{key}.")

    def wrong(self, key: str, expected: str) -> LoadError:
        """What to raise for a value that cannot be used."""
        value = self.values.get(key)
        said = "missing" if value is None else json.dumps(value)
        return LoadError(f"{self.path}: {self.prefix}{key}: {said} (expected: {expected})")

    def _get(self, key: str, fallback: Any) -> Any:
        value = self.values.get(key)
        return fallback if value is None else value


@dataclass(frozen=True)
class RopeScaling:
    """How rotary positions are stretched: `type` is none, linear or dynamic."""

    type: str = "none"
    factor: float = 1.0


@dataclass(frozen=True)
class LanguageConfig:
    """Sizes of the language tower, by the names of `config.json`."""

    hidden_size: int
    layers: int
    heads: int
    key_value_heads: int
    intermediate_size: int
    vocabulary_rows: int
    norm_epsilon: float
    rope_theta: float
    rope_scaling: RopeScaling
    positions_max: int
    attention_bias: bool
    tied_embeddings: bool

    @property
    def head_size(self) -> int:
        """Width of an attention head."""
        return self.hidden_size // self.heads

    @property
    def key_value_size(self) -> int:
        """Width of the key and value projections."""
        return self.key_value_heads * self.head_size

    @staticmethod
    def read(config: ConfigFile) -> LanguageConfig:
        """Reads the top level of `config.json`. Fails with LoadError."""
        hidden = config.integer("hidden_size", 2, 1 << 17)
        heads = config.integer("num_attention_heads", 1, 4096)
        key_value_heads = config.integer("num_key_value_heads", 1, heads, heads)
        if hidden % (2 * heads):
            raise config.wrong("num_attention_heads", f"an even head size, hidden_size is {hidden}")
        if heads % key_value_heads:
            raise config.wrong("num_key_value_heads", f"a divisor of {heads}")
        if config.text("hidden_act", "silu") != "silu":
            raise config.wrong("hidden_act", "silu")
        return LanguageConfig(
            hidden_size=hidden,
            layers=config.integer("num_hidden_layers", 1, 1024),
            heads=heads,
            key_value_heads=key_value_heads,
            intermediate_size=config.integer("intermediate_size", 1, 1 << 19),
            vocabulary_rows=config.integer("vocab_size", 1, 1 << 22),
            norm_epsilon=config.number("rms_norm_eps", 0, 1, 1e-6),
            rope_theta=config.number("rope_theta", 1, 1e15, 10_000),
            rope_scaling=_rope_scaling(config),
            positions_max=config.integer("max_position_embeddings", 1, 1 << 24, 2048),
            attention_bias=config.flag("attention_bias", False),
            tied_embeddings=config.flag("tie_word_embeddings", False),
        )


def _rope_scaling(config: ConfigFile) -> RopeScaling:
    scaling = config.object("rope_scaling")
    if scaling is None:
        return RopeScaling()
    kind = scaling.text("type", "")
    if kind not in ("linear", "dynamic"):
        raise scaling.wrong("type", "linear or dynamic")
    factor = scaling.number("factor", 0, 1e6)
    if factor < 1:
        raise scaling.wrong("factor", "1..1e6")
    return RopeScaling(kind, factor)


@dataclass(frozen=True)
class VisionConfig:
    """Sizes of the vision tower: `vision_config`, or those of google/siglip2-so400m-patch14-384 without it."""

    width: int = 1152
    layers: int = 27
    heads: int = 16
    intermediate_size: int = 4304
    image_size: int = 384
    patch_size: int = 14
    norm_epsilon: float = 1e-6

    @property
    def layers_run(self) -> int:
        """Encoder layers that are run: the public code takes the last one off."""
        return self.layers - 1

    @property
    def patches_per_side(self) -> int:
        """Patches along a side; pixels beyond the last whole one are not looked at."""
        return self.image_size // self.patch_size

    @property
    def patches(self) -> int:
        """Patches of a tile, row by row."""
        return self.patches_per_side**2

    @staticmethod
    def read(config: ConfigFile) -> VisionConfig:
        """Reads `vision_config`. Fails with LoadError."""
        vision = config.object("vision_config")
        published = VisionConfig()
        if vision is None:
            return published
        if vision.text("hidden_act", "gelu_pytorch_tanh") != "gelu_pytorch_tanh":
            raise vision.wrong("hidden_act", "gelu_pytorch_tanh")
        vision.integer("num_channels", 3, 3, 3)
        width = vision.integer("hidden_size", 1, 1 << 16, published.width)
        heads = vision.integer("num_attention_heads", 1, 1024, published.heads)
        if width % heads:
            raise vision.wrong("num_attention_heads", f"a divisor of {width}")
        image_size = vision.integer("image_size", 2, 1 << 12, published.image_size)
        return VisionConfig(
            width=width,
            layers=vision.integer("num_hidden_layers", 2, 1024, published.layers),
            heads=heads,
            intermediate_size=vision.integer("intermediate_size", 1, 1 << 18, published.intermediate_size),
            image_size=image_size,
            patch_size=vision.integer("patch_size", 1, image_size // 2, published.patch_size),
            norm_epsilon=vision.number("layer_norm_eps", 0, 1, published.norm_epsilon),
        )
