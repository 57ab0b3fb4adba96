"""A checkpoint that has sizes but no files: what is measured depends on shapes, not on what the weights hold."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import torch
from lladav_models.checkpoint import Tokens
from lladav_models.config import LanguageConfig, RopeScaling, VisionConfig


@dataclass(frozen=True)
class Sizes:
    """A model's sizes and one picture's: `tiles` of it reach the vision tower, `picture_positions` the canvas."""

    language: LanguageConfig
    vision: VisionConfig
    tokens: Tokens
    tiles: int
    picture_positions: int
    text_positions: int
    reply: int

    @property
    def prompt(self) -> int:
        """Positions before the reply."""
        return self.picture_positions + self.text_positions

    @property
    def length(self) -> int:
        """N, positions of a canvas."""
        return self.prompt + self.reply


def _language(hidden: int, layers: int, heads: int, intermediate: int, vocabulary: int) -> LanguageConfig:
    return LanguageConfig(
        hidden_size=hidden,
        layers=layers,
        heads=heads,
        key_value_heads=heads,
        intermediate_size=intermediate,
        vocabulary_rows=vocabulary,
        norm_epsilon=1e-5,
        rope_theta=500_000.0,
        rope_scaling=RopeScaling(),
        positions_max=16384,
        attention_bias=False,
        tied_embeddings=False,
    )


# The mask is suppressed besides the published four: random weights might choose it, and a reply of masks never ends.
_PUBLISHED_TOKENS = Tokens(126349, 126336, (126080, 126081, 126336, 126346, 126347))

SIZES = {
    # A picture of 1024 x 768: 2 x 3 tiles and the whole, merged to 3627 positions (anyres_max_4, spatial_unpad).
    "published": Sizes(
        _language(4096, 32, 32, 12288, 126464), VisionConfig(), _PUBLISHED_TOKENS, 7, 3627, text_positions=60, reply=128
    ),
    "small": Sizes(
        _language(256, 4, 4, 768, 2048),
        VisionConfig(width=96, layers=4, heads=4, intermediate_size=256, image_size=84, patch_size=14),
        Tokens(2040, 2030, (2026, 2027, 2028, 2029, 2030)),
        tiles=7,
        picture_positions=176,
        text_positions=24,
        reply=16,
    ),
}
"""By name: those of LLaDA-V, and some that two processor cores finish in seconds."""


@dataclass(frozen=True)
class RandomWeights:
    """Draws each tensor when it is asked for, on the device, from a seed and its name: whatever was drawn before, a
    name gives the same numbers on the same kind of device. Rows keep their size from layer to layer, so nothing
    overflows."""

    sizes: Sizes
    dtype: torch.dtype
    device: torch.device
    seed: int = 1
    has_image_newline: bool = True

    @property
    def language(self) -> LanguageConfig:
        """Sizes of the language tower."""
        return self.sizes.language

    @property
    def vision(self) -> VisionConfig:
        """Sizes of the vision tower."""
        return self.sizes.vision

    @property
    def tokens(self) -> Tokens:
        """Ids that have a meaning."""
        return self.sizes.tokens

    def tensor(self, name: str, *shape: int) -> torch.Tensor:
        """Returns ones for norms, zeros for biases and the separator, else numbers of deviation 1 / sqrt(inputs)."""
        made = torch.empty(shape, dtype=self.dtype, device=self.device)
        if len(shape) == 1:
            return made.fill_(1 if name.endswith("weight") else 0)
        generator = torch.Generator(self.device).manual_seed(zlib.crc32(name.encode()) ^ self.seed)
        return made.normal_(0, 1 / math.sqrt(math.prod(shape[1:])), generator=generator)
