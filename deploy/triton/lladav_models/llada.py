"""The language tower: weights, and one forward of many canvases together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .canvas import Canvas
from .checkpoint import Weights
from .layers import Linear
from .rope import rotate
from .settings import Settings
from .work import Cache, Features, Forward, Full, Ints, Window

# Rows that go through an MLP at a time: what it holds between is three times as wide as the residual stream.
_MLP_ROWS = 8192
# Query rows of an attention with a mask, which is held whole.
_MASKED_ROWS = 1024

LayerListener = Callable[[int, Tensor], None]
"""Called with a layer's number, from 1, and the residual stream after it."""


@dataclass(frozen=True)
class Layer:
    """The weights of a layer. `queries`, `keys_and_values` are parts of `projection`."""

    attention_norm: Tensor
    projection: Linear
    queries: Linear
    keys_and_values: Linear
    output: Linear
    mlp_norm: Tensor
    gate_and_up: Linear
    down: Linear


class Llada:
    """A LLaMA-3 block without causal mask, as often as the checkpoint has it. Grouped heads, biases of q, k, v and o,
    and tied embeddings as `config.json` says. The residual stream, norms and angles are 32-bit floats; matrices,
    attention and what sessions keep are in the precision of the settings."""

    def __init__(self, checkpoint: Weights, settings: Settings) -> None:
        """Loads the weights. Fails with LoadError."""
        self.config = config = checkpoint.language
        self.dtype, self.device = settings.dtype, settings.device
        self._checkpoint, self._settings = checkpoint, settings
        # Rows beyond the tokenizer's tokens exist in the file only: they take part in nothing.
        count = checkpoint.tokens.count

        def table(name: str) -> Tensor:
            stored = checkpoint.tensor(name, config.vocabulary_rows, config.hidden_size)
            return stored[:count].to(settings.device, settings.dtype)

        self.embedding = table("model.embed_tokens.weight")
        self.layers = [self._load(i) for i in range(config.layers)]
        self.final_norm = self._norm("model.norm.weight")
        self.head = self.embedding if config.tied_embeddings else table("lm_head.weight")

    def norm(self, rows: Tensor, weight: Tensor) -> Tensor:
        """RMSNorm of 32-bit floats, in the precision."""
        return F.rms_norm(rows, rows.shape[-1:], weight, self.config.norm_epsilon).to(self.dtype)

    def heads(self, rows: Tensor) -> Tensor:
        """Returns `(rows, heads, S)`."""
        size = self.config.head_size
        return rows.reshape(len(rows), rows.shape[-1] // size, size)

    def project(self, layer: Layer, residual: Tensor, cosines: Tensor, sines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns queries, keys (both rotated) and values of rows of the residual stream."""
        hidden, width = self.config.hidden_size, self.config.key_value_size
        projected = layer.projection(self.norm(residual, layer.attention_norm))
        q, k, v = (self.heads(part) for part in torch.split(projected, [hidden, width, width], -1))
        return rotate(q, cosines, sines), rotate(k, cosines, sines), v

    def mlp(self, layer: Layer, rows: Tensor) -> Tensor:
        """What a layer's MLP adds to the residual stream: down(silu(gate) * up)."""
        outputs = []
        for part in torch.split(rows, _MLP_ROWS):
            gate, up = layer.gate_and_up(self.norm(part, layer.mlp_norm)).chunk(2, -1)
            outputs.append(layer.down(F.silu(gate) * up))
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs)

    def _load(self, index: int) -> Layer:
        config, hidden = self.config, self.config.hidden_size
        queries, keys = hidden, config.key_value_size

        def linear(into: int, bias: bool, *parts: tuple[str, int]) -> Linear:
            names = [f"model.layers.{index}.{part}" for part, _ in parts]
            heights = [height for _, height in parts]
            weights = [self._checkpoint.tensor(f"{n}.weight", h, into) for n, h in zip(names, heights)]
            biases = [self._checkpoint.tensor(f"{n}.bias", h) for n, h in zip(names, heights)] if bias else None
            return Linear.stacked(weights, biases, self._settings)

        projection = linear(
            hidden,
            config.attention_bias,
            ("self_attn.q_proj", queries),
            ("self_attn.k_proj", keys),
            ("self_attn.v_proj", keys),
        )
        return Layer(
            self._norm(f"model.layers.{index}.input_layernorm.weight"),
            projection,
            projection.rows(0, queries),
            projection.rows(queries, queries + 2 * keys),
            linear(hidden, config.attention_bias, ("self_attn.o_proj", hidden)),
            self._norm(f"model.layers.{index}.post_attention_layernorm.weight"),
            linear(
                hidden, False, ("mlp.gate_proj", config.intermediate_size), ("mlp.up_proj", config.intermediate_size)
            ),
            linear(config.intermediate_size, False, ("mlp.down_proj", hidden)),
        )

    def _norm(self, name: str) -> Tensor:
        return self._checkpoint.tensor(name, self.config.hidden_size).to(self.device, torch.float32)


class Track:
    """One sequence of one step while it is computed: positions `start..end-1` of a canvas, whose residual stream lies
    in consecutive packed rows from `row` on."""

    def __init__(self, canvas: Canvas, sequence: int, forward: Forward, asked: Ints, row: int) -> None:
        self.canvas, self.sequence, self.forward, self.asked, self.row = canvas, sequence, forward, asked, row
        layout = canvas.layout
        self.start, self.end = 0, layout.length
        # What is computed whatever has changed.
        self.refreshed = range(layout.length)
        match forward:
            case Window(start, end):
                self.start, self.end, self.refreshed = start, end, range(start, end)
            case Features(prompt, generated):
                self.start = 0 if prompt else layout.prompt
                self.refreshed = range(self.start, self.end if generated else layout.prompt)
            case Full():
                pass
        self.count = self.end - self.start
        self.keeps_features = layout.cache is Cache.FEATURES
        self.transfers = isinstance(forward, Features) and not forward.generated and layout.transfer_count > 0

    def packed(self) -> slice:
        """Returns the packed rows of all its positions."""
        return slice(self.row, self.row + self.count)

    def packed_row(self, position: int) -> int:
        """Returns the packed row of a position."""
        return self.row + position - self.start

    def query_positions(self, last: bool) -> range | Ints:
        """Returns the positions of which attention and MLP are computed, besides what is transferred."""
        if last and not self.keeps_features:
            return self.asked
        if last:
            # Of the last layer, nobody reads what it makes of the prompt.
            least = min(self.canvas.layout.prompt, int(self.asked[0]))
            return range(max(self.refreshed.start, least), max(self.refreshed.stop, least))
        return self.refreshed


@dataclass(frozen=True)
class Queries:
    """Positions of one track that go through attention and MLP: on the device, or a range."""

    track: Track
    positions: range | Tensor

    @property
    def count(self) -> int:
        return len(self.positions)

    @property
    def whole(self) -> bool:
        """Whether they are all rows of the track, and will be when keys and values are known."""
        return self.positions == range(self.track.start, self.track.end) if isinstance(self.positions, range) else False

    @property
    def index(self) -> slice | Tensor:
        """Of positions, as an index."""
        return _slice(self.positions) if isinstance(self.positions, range) else self.positions

    def packed(self) -> slice | Tensor:
        """Of packed rows, as an index."""
        shift = self.track.row - self.track.start
        if isinstance(self.positions, range):
            return slice(self.positions.start + shift, self.positions.stop + shift)
        return self.positions + shift


def packed_inputs(tracks: Sequence[Track]) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the embeddings of all rows, `(rows, D)` 32-bit floats, and their cosines and sines."""
    embeddings = torch.cat([t.canvas.embeddings[t.sequence, t.start : t.end] for t in tracks]).float()
    cosines = torch.cat([t.canvas.cosines[t.start : t.end] for t in tracks])
    return embeddings, cosines, torch.cat([t.canvas.sines[t.start : t.end] for t in tracks])


class PackedForward:
    """Runs the layers for some tracks together: their rows go through every matrix packed, attention is each track's
    own, over its own length."""

    def __init__(self, model: Llada, tracks: Sequence[Track]) -> None:
        """`tracks`: in the order of their packed rows, without gaps."""
        self._model, self._tracks = model, tracks
        self._residual, self._cosines, self._sines = packed_inputs(tracks)
        self._inner = [self._on_device(track, last=False) for track in tracks]
        self._last = [self._on_device(track, last=True) for track in tracks]

    def run(self, listener: LayerListener | None = None) -> Tensor:
        """Returns the residual stream after the last layer, `(rows, D)`: of every asked position. Others are not
        complete."""
        count = len(self._model.layers)
        for index, layer in enumerate(self._model.layers):
            self._run(index, layer, self._last if index == count - 1 else self._inner)
            if listener is not None:
                listener(index + 1, self._residual)
        return self._residual

    def _run(self, index: int, layer: Layer, planned: list[Queries]) -> None:
        model = self._model
        if all(each.whole for each in planned):
            q, k, v = model.project(layer, self._residual, self._cosines, self._sines)
            queries, rows = [keep(index, each, k, v) for each in planned], None
        else:
            normed = model.norm(self._residual, layer.attention_norm)
            k, v = (model.heads(half) for half in layer.keys_and_values(normed).chunk(2, -1))
            k = rotate(k, self._cosines, self._sines)
            queries = [keep(index, each, k, v) for each in planned]
            rows = self._rows(queries)
            q = model.heads(layer.queries(normed[rows]))
            q = rotate(q, self._cosines[rows], self._sines[rows])
        self._deliver(queries, layer.output(attend(index, queries, q, k, v)), "attention_outputs", index)
        wanted = self._residual if rows is None else self._residual[rows]
        self._deliver(queries, model.mlp(layer, wanted), "mlp_outputs", index)

    def _on_device(self, track: Track, last: bool) -> Queries:
        positions = track.query_positions(last)
        if isinstance(positions, range):
            return Queries(track, positions)
        return Queries(track, torch.from_numpy(positions).to(self._model.device, torch.int64))

    def _rows(self, queries: list[Queries]) -> Tensor:
        parts = []
        for each in queries:
            packed = each.packed()
            if isinstance(packed, slice):
                packed = torch.arange(packed.start, packed.stop, device=self._residual.device)
            parts.append(packed)
        return torch.cat(parts)

    def _deliver(self, queries: list[Queries], output: Tensor, kept_name: str, index: int) -> None:
        """Adds a block's output to the residual stream, or to what the session keeps, and that to the stream."""
        at = 0
        for each in queries:
            track, part = each.track, output[at : at + each.count]
            if track.keeps_features:
                kept: Tensor = getattr(track.canvas, kept_name)[track.sequence, index]
                kept[each.index] = part.to(kept.dtype)
                self._residual[track.packed()] += kept[track.start : track.end]
            else:
                self._residual[each.packed()] += part
            at += each.count


def keep(index: int, planned: Queries, k: Tensor, v: Tensor) -> Queries:
    """Takes over the keys and values of a layer that are refreshed or have changed most, of all packed rows; returns
    the rows that were planned, and the latter."""
    track = planned.track
    if track.canvas.layout.cache is Cache.NONE:
        return planned
    keys, values = track.canvas.keys[track.sequence, index], track.canvas.values[track.sequence, index]
    fresh = slice(track.packed_row(track.refreshed.start), track.packed_row(track.refreshed.stop))
    keys[:, _slice(track.refreshed)] = k[fresh].transpose(0, 1)
    values[:, _slice(track.refreshed)] = v[fresh].transpose(0, 1)
    if not track.transfers:
        return planned
    prompt = track.canvas.layout.prompt
    behind = slice(track.packed_row(prompt), track.packed_row(track.end))
    changed = most_changed(values[:, prompt:], v[behind].transpose(0, 1), track.canvas.layout.transfer_count)
    keys[:, changed + prompt] = k[behind][changed].transpose(0, 1)
    values[:, changed + prompt] = v[behind][changed].transpose(0, 1)
    static = planned.positions
    if isinstance(static, range):
        static = torch.arange(static.start, static.stop, device=changed.device)
    return Queries(track, torch.cat((static, changed + prompt)))


def attend(index: int, queries: Sequence[Queries], q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """What each row gathers in a layer, `(rows, heads * S)`. `q`: of the queries' rows; `k`, `v`: of all packed."""
    mixed = []
    at = 0
    for each in queries:
        track = each.track
        if each.count == 0:
            continue
        if track.canvas.layout.cache is Cache.NONE:
            keys, values = k[track.packed()].transpose(0, 1), v[track.packed()].transpose(0, 1)
        else:
            keys, values = track.canvas.keys[track.sequence, index], track.canvas.values[track.sequence, index]
        own = q[at : at + each.count]
        turns = track.canvas.turns
        mixed.append(
            attention(own, keys, values)
            if turns is None
            else _masked_attention(own, keys, values, turns[each.index], turns)
        )
        at += each.count
    return torch.cat(mixed) if mixed else q.flatten(1)


def attention(q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None = None) -> Tensor:
    """Returns `(rows, heads * S)` of queries `(rows, heads, S)`, keys and values `(key-value heads, N, S)`.

    `visible`: `(rows, N)`, false where a row does not see a position.
    """
    mixed = F.scaled_dot_product_attention(
        q.transpose(0, 1).unsqueeze(0),
        k.unsqueeze(0),
        v.unsqueeze(0),
        attn_mask=visible,
        enable_gqa=q.shape[1] != k.shape[0],
    )
    return mixed.squeeze(0).transpose(0, 1).flatten(1)


def _masked_attention(q: Tensor, k: Tensor, v: Tensor, query_turns: Tensor, key_turns: Tensor) -> Tensor:
    parts = []
    for rows, turns in zip(torch.split(q, _MASKED_ROWS), torch.split(query_turns, _MASKED_ROWS)):
        parts.append(attention(rows, k, v, key_turns.unsqueeze(0) <= turns.unsqueeze(1)))
    return torch.cat(parts)


def most_changed(kept: Tensor, fresh: Tensor, wanted: int) -> Tensor:
    """Returns the `wanted` positions, ascending, whose value vectors have the lowest cosine similarity to what is kept
    (dLLM-Cache, arXiv 2506.06295, section 3.3). Similarities are rounded to 1e-5, so that vectors that differ by
    rounding alone tie; ties go to the lower position.

    Both `(heads, positions, S)`.
    """
    a, b = (part.transpose(0, 1).flatten(1).double() for part in (kept, fresh))
    norms = a.square().sum(-1).sqrt() * b.square().sum(-1).sqrt()
    similarity = (a * b).sum(-1) / norms.clamp_min(1e-8)
    order = torch.sort(torch.round(similarity * 1e5), stable=True).indices
    return order[:wanted].sort().values


def _slice(positions: range) -> slice:
    return slice(positions.start, positions.stop)
