"""What a forward needs at least: floating-point operations, two per multiplication of a matrix product or of attention,
and bytes of memory read. Norms, activations and softmax are left out."""

from __future__ import annotations

from dataclasses import dataclass

from lladav_models.config import LanguageConfig, VisionConfig


@dataclass(frozen=True)
class Cost:
    """`operations` are those that the models carry out, `formula` those of the published model's formula, in which
    every computed row goes through all of every layer. `bytes`: weights once, and kept keys and values."""

    operations: int
    formula: int
    bytes: int

    def times(self, sessions: int, weights: int) -> Cost:
        """Of as many sessions in one forward, which read the `weights` bytes together."""
        kept = self.bytes - weights
        return Cost(self.operations * sessions, self.formula * sessions, weights + kept * sessions)


@dataclass(frozen=True)
class Rows:
    """Of one session: positions whose keys and values are computed (`keyed`), those that go through attention and MLP
    of the inner layers (`inner`) and of the last (`last`), of how many positions in all, and how many are asked.

    `reads_kept`: whether keys and values of the other positions are read from what is kept."""

    keyed: int
    inner: int
    last: int
    positions: int
    asked: int
    reads_kept: bool


def forward(config: LanguageConfig, vocabulary: int, itemsize: int, rows: Rows) -> Cost:
    """One forward of the language tower for one session. `vocabulary`: ids there are logits for; `itemsize`: bytes of a
    weight. For the published sizes the formula is 13.96e9 per row, 1.036e9 per row of logits (with all 126,464 rows of
    the head) and 524,288 per row and position."""
    hidden, layers = config.hidden_size, config.layers
    keyed = 4 * hidden * config.key_value_size
    queried = 4 * hidden * hidden + 6 * hidden * config.intermediate_size + 4 * hidden * rows.positions
    logits = 2 * rows.asked * hidden * vocabulary
    kept = 2 * layers * config.key_value_size * itemsize * rows.positions if rows.reads_kept else 0
    return Cost(
        layers * rows.keyed * keyed + ((layers - 1) * rows.inner + rows.last) * queried + logits,
        layers * rows.keyed * (keyed + queried) + logits,
        weight_bytes(config, vocabulary, itemsize) + kept,
    )


def row_matrices(config: LanguageConfig) -> int:
    """Operations of one row in the matrices of all layers."""
    layer = 4 * config.hidden_size * (config.hidden_size + config.key_value_size)
    return config.layers * (layer + 6 * config.hidden_size * config.intermediate_size)


def weight_bytes(config: LanguageConfig, vocabulary: int, itemsize: int) -> int:
    """Bytes of the matrices that every forward reads: all layers and the head."""
    return itemsize * (row_matrices(config) // 2 + config.hidden_size * vocabulary)


def vision(config: VisionConfig, tiles: int) -> int:
    """Operations of the vision tower on some tiles."""
    patches, width = config.patches, config.width
    embedding = 3 * config.patch_size**2 * width
    layer = 4 * width * width + 2 * width * config.intermediate_size + 2 * width * patches
    return 2 * tiles * patches * (embedding + config.layers_run * layer)


def projector(language: LanguageConfig, config: VisionConfig, tiles: int) -> int:
    """Operations of the projector on the features of some tiles."""
    return 2 * tiles * config.patches * language.hidden_size * (config.width + language.hidden_size)
