"""One session's canvas, in the memory of the device."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import LanguageConfig
from .errors import invalid
from .rope import rope_table
from .work import Cache, CanvasLayout, Floats, Ints, Step, require_ids


class PositionBytes:
    """What one position of a canvas takes, in bytes.

    `tables`: once. `embedding`: per sequence. `keys_and_values`: per sequence, with `Cache.KEYS_AND_VALUES` and
    `FEATURES`. `features`: per sequence, with `FEATURES`.
    """

    def __init__(self, config: LanguageConfig, dtype: torch.dtype) -> None:
        self.tables = 4 * config.head_size + 4
        self.embedding = dtype.itemsize * config.hidden_size
        self.keys_and_values = 2 * dtype.itemsize * config.layers * config.key_value_size
        self.features = 2 * dtype.itemsize * config.layers * config.hidden_size

    def described(self) -> dict[str, int]:
        """Returns them by the names of the identity."""
        return {
            "tables": self.tables,
            "embedding": self.embedding,
            "keysAndValues": self.keys_and_values,
            "features": self.features,
        }

    def canvas(self, layout: CanvasLayout) -> int:
        """Returns the bytes of a whole canvas."""
        kept = 0 if layout.cache is Cache.NONE else self.keys_and_values
        kept += self.features if layout.cache is Cache.FEATURES else 0
        return layout.length * (self.tables + layout.sequences * (self.embedding + kept))


class Canvas:
    """Input embeddings, rotary tables, and what is kept of earlier forwards. Sequence 1, with guidance, is the canvas
    without its prompt: there the mask stands at every prompt position. For one thread.

    `embeddings` `(sequences, N, D)`; `cosines`, `sines` `(N, S / 2)`; `turns` `(N)`; `keys` (rotated) and `values`
    `(sequences, layers, key-value heads, N, S)`; `attention_outputs`, `mlp_outputs` `(sequences, layers, N, D)`.
    """

    def __init__(self, layout: CanvasLayout, config: LanguageConfig, table: Tensor, mask: int) -> None:
        """Makes a canvas in which every position holds the mask. `table`: one row per token id."""
        self.layout = layout
        self._table = table
        n, sequences, device = layout.length, layout.sequences, table.device
        self.embeddings = table[mask].expand(sequences, n, -1).clone()
        self.cosines, self.sines = (part.to(device) for part in rope_table(config, n))
        self.turns = None if layout.turns is None else torch.from_numpy(layout.turns).to(device)
        self.bias_ids = torch.empty(0, dtype=torch.int64)
        self.bias_values = torch.empty(0)
        self.refreshed_sequences = 0
        """How many sequences a full forward has filled what is kept of."""

        def kept(*shape: int) -> Tensor:
            return torch.zeros((sequences, config.layers, *shape), dtype=table.dtype, device=device)

        if layout.cache is not Cache.NONE:
            self.keys = kept(config.key_value_heads, n, config.head_size)
            self.values = kept(config.key_value_heads, n, config.head_size)
        if layout.cache is Cache.FEATURES:
            self.attention_outputs = kept(n, config.hidden_size)
            self.mlp_outputs = kept(n, config.hidden_size)

    def write_ids(self, position: int, ids: Ints) -> None:
        """Writes tokens to consecutive positions; refuses them as a whole if a position or id is out of range."""
        self._require_inside(position, len(ids))
        require_ids("IDS", ids, len(self._table))
        self._write(position, self._rows(ids))

    def write_embeddings(self, position: int, rows: Floats) -> None:
        """Writes embeddings `(count, D)` to consecutive positions."""
        if rows.ndim != 2 or rows.shape[1] != self._table.shape[1]:
            raise invalid("EMBEDDINGS", f"shape {list(rows.shape)}", f"[rows, {self._table.shape[1]}]")
        self._require_inside(position, len(rows))
        self._write(position, torch.from_numpy(rows).to(self._table.device, self._table.dtype))

    def write_changes(self, step: Step) -> None:
        """Writes what changes with a step, which must fit."""
        if len(step.write_positions) == 0:
            return
        rows = self._rows(step.write_ids)
        positions = torch.from_numpy(step.write_positions).to(self._table.device, torch.int64)
        self.embeddings[0].index_copy_(0, positions, rows)
        if self.layout.guided:
            behind = step.write_positions >= self.layout.prompt
            chosen = torch.from_numpy(behind).to(self._table.device)
            self.embeddings[1].index_copy_(0, positions[chosen], rows[chosen])

    def bias_logits(self, ids: Ints, values: Floats) -> None:
        """Biases the candidates of every step from now on, after guidance; negative infinity bans an id."""
        if len(ids) != len(values):
            raise invalid("BIAS_VALUES", f"{len(values)} numbers", f"{len(ids)}, one per id")
        require_ids("BIAS_IDS", ids, len(self._table))
        if len(set(ids.tolist())) != len(ids):
            raise invalid("BIAS_IDS", "one of them twice", "each once")
        bias = torch.from_numpy(values)
        if bool(torch.any(torch.isnan(bias) | torch.isposinf(bias))):
            raise invalid("BIAS_VALUES", "no number or infinity", "finite or negative infinity")
        self.bias_ids, self.bias_values = torch.from_numpy(ids).long(), bias

    def _rows(self, ids: Ints) -> Tensor:
        return self._table[torch.from_numpy(ids).to(self._table.device, torch.int64)]

    def _write(self, position: int, rows: Tensor) -> None:
        end = position + len(rows)
        self.embeddings[0, position:end] = rows
        start = max(position, self.layout.prompt)
        if self.layout.guided and start < end:
            self.embeddings[1, start:end] = rows[start - position :]

    def _require_inside(self, position: int, count: int) -> None:
        if position < 0 or count > self.layout.length - position:
            raise invalid("POSITION", f"{position}, with {count} rows", f"within 0..{self.layout.length - 1}")
