"""LLaDA-V in PyTorch, for training: the same computation as the serving engines, written to be differentiated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOOKING_HEADS = 2
"""How many heads of a layer `looking` shows."""


@dataclass(frozen=True)
class VisionSize:
    """Sizes of the vision tower. `layers` counts the layers that run."""

    width: int = 256
    layers: int = 6
    heads: int = 4
    mlp: int = 1024
    image: int = 112
    patch: int = 16

    @property
    def grid(self) -> int:
        return self.image // self.patch

    @property
    def patches(self) -> int:
        return self.grid**2


@dataclass(frozen=True)
class LanguageSize:
    """Sizes of the language tower; `vocabulary` is the tokenizer's."""

    vocabulary: int
    width: int = 256
    layers: int = 6
    heads: int = 4
    key_value_heads: int = 4
    mlp: int = 768
    rope_theta: float = 10_000.0
    rms_eps: float = 1e-5
    tied: bool = True
    """Whether the head is the transposed word embedding."""

    @property
    def looking_layers(self) -> tuple[int, int, int]:
        """The layers that `looking` shows."""
        return self.layers // 6, self.layers // 3, self.layers // 2


@dataclass(frozen=True)
class ModelSize:
    """Sizes of the whole model."""

    vision: VisionSize
    language: LanguageSize


class VisionLayer(nn.Module):
    """Pre-norm encoder layer with full attention and tanh GELU (SigLIP 2)."""

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        self.heads = size.heads
        self.layer_norm1 = nn.LayerNorm(size.width, eps=1e-6)
        self.q_proj = nn.Linear(size.width, size.width)
        self.k_proj = nn.Linear(size.width, size.width)
        self.v_proj = nn.Linear(size.width, size.width)
        self.out_proj = nn.Linear(size.width, size.width)
        self.layer_norm2 = nn.LayerNorm(size.width, eps=1e-6)
        self.fc1 = nn.Linear(size.width, size.mlp)
        self.fc2 = nn.Linear(size.mlp, size.width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer_norm1(x)
        q, k, v = (_heads(p(h), self.heads) for p in (self.q_proj, self.k_proj, self.v_proj))
        x = x + self.out_proj(_joined(_attention(q, k, None).to(v.dtype) @ v))
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.layer_norm2(x)), approximate="tanh"))
        return out


class VisionTower(nn.Module):
    """Tiles (N, 3, S, S), normalised, to features (N, patches, width): the last kept layer, no closing norm."""

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        self.size = size
        self.patch_embedding = nn.Linear(3 * size.patch**2, size.width)
        self.position_embedding = nn.Parameter(torch.randn(size.patches, size.width) * 0.02)
        self.layers = nn.ModuleList(VisionLayer(size) for _ in range(size.layers))

    def forward(self, tiles: Tensor) -> Tensor:
        count, grid, patch = tiles.shape[0], self.size.grid, self.size.patch
        cells = tiles.reshape(count, 3, grid, patch, grid, patch).permute(0, 2, 4, 1, 3, 5)
        x: Tensor = self.patch_embedding(cells.reshape(count, grid * grid, -1)) + self.position_embedding
        for layer in self.layers:
            x = layer(x)
        return x


class Projector(nn.Module):
    """Two linear layers with an exact GELU between them (`mlp2x_gelu`)."""

    def __init__(self, vision: int, language: int) -> None:
        super().__init__()
        self.first = nn.Linear(vision, language)
        self.second = nn.Linear(language, language)

    def forward(self, features: Tensor) -> Tensor:
        projected: Tensor = self.second(F.gelu(self.first(features)))
        return projected


class RmsNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)


class LanguageLayer(nn.Module):
    """LLaMA-3 block without a causal mask."""

    def __init__(self, size: LanguageSize) -> None:
        super().__init__()
        self.size = size
        head = size.width // size.heads
        self.input_layernorm = RmsNorm(size.width, size.rms_eps)
        self.q_proj = nn.Linear(size.width, size.width, bias=False)
        self.k_proj = nn.Linear(size.width, size.key_value_heads * head, bias=False)
        self.v_proj = nn.Linear(size.width, size.key_value_heads * head, bias=False)
        self.o_proj = nn.Linear(size.width, size.width, bias=False)
        self.post_attention_layernorm = RmsNorm(size.width, size.rms_eps)
        self.gate_proj = nn.Linear(size.width, size.mlp, bias=False)
        self.up_proj = nn.Linear(size.width, size.mlp, bias=False)
        self.down_proj = nn.Linear(size.mlp, size.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """The residual stream (B, T, D) behind this layer, and its attention weights (B, heads, T, T)."""
        h = self.input_layernorm(x)
        q = _rotated(_heads(self.q_proj(h), self.size.heads), cos, sin)
        k = _rotated(_heads(self.k_proj(h), self.size.key_value_heads), cos, sin)
        v = _heads(self.v_proj(h), self.size.key_value_heads)
        groups = self.size.heads // self.size.key_value_heads
        if groups > 1:
            k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        attention = _attention(q, k, hidden)
        x = x + self.o_proj(_joined(attention.to(v.dtype) @ v))
        h = self.post_attention_layernorm(x)
        return x + self.down_proj(F.silu(self.gate_proj(h)) * self.up_proj(h)), attention


class LanguageTower(nn.Module):
    """Embeddings (B, T, D) to logits (B, T, vocabulary)."""

    def __init__(self, size: LanguageSize) -> None:
        super().__init__()
        self.size = size
        self.embed_tokens = nn.Embedding(size.vocabulary, size.width)
        self.layers = nn.ModuleList(LanguageLayer(size) for _ in range(size.layers))
        self.norm = RmsNorm(size.width, size.rms_eps)
        self.lm_head = None if size.tied else nn.Linear(size.width, size.vocabulary, bias=False)

    def forward(self, embeddings: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        """Logits, and every layer's attention weights (B, heads, T, T). `hidden`, if any, is true where row (second to
        last) may not attend to column (last)."""
        cos, sin = self._angles(embeddings.shape[1], embeddings.device)
        x, attention = embeddings, []
        for layer in self.layers:
            x, weights = layer(x, cos.to(x.dtype), sin.to(x.dtype), hidden)
            attention.append(weights)
        head = self.embed_tokens if self.lm_head is None else self.lm_head
        return F.linear(self.norm(x), head.weight.to(x.dtype)), attention

    def _angles(self, positions: int, device: torch.device) -> tuple[Tensor, Tensor]:
        head = self.size.width // self.size.heads
        frequencies = 1.0 / self.size.rope_theta ** (torch.arange(0, head, 2, device=device).float() / head)
        angles = torch.outer(torch.arange(positions, device=device).float(), frequencies)
        angles = torch.cat((angles, angles), -1)
        return angles.cos(), angles.sin()


class LladaV(nn.Module):
    """The three parts and the row separator."""

    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.vision = VisionTower(size.vision)
        self.projector = Projector(size.vision.width, size.language.width)
        self.image_newline = nn.Parameter(torch.randn(size.language.width) * 0.1)
        self.language = LanguageTower(size.language)
        self._initialise()

    def table_of(self, features: Tensor, pooled: bool) -> Tensor:
        """Rows that visual positions are taken from: every tile's projected patches, then the newline, then, for the
        frames of clips, every tile's grid halved by bilinear interpolation. `features` is the vision tower's output."""
        projected = self.projector(features)
        rows = [projected.flatten(0, 1), self.image_newline[None].to(projected.dtype)]
        if pooled:
            rows.append(halved(projected, self.size.vision.grid).flatten(0, 1))
        return torch.cat(rows)

    def forward(self, ids: Tensor, visual: Tensor, table: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Logits of ids (B, T); where `visual` (B, T) is not negative, that row of the table stands instead. `hidden`
        as in the language tower, (B, 1, T or 1, T)."""
        logits, _ = self._attended(ids, visual, table, hidden)
        return logits

    def looking(self, ids: Tensor, visual: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """Logits as of a forward pass, and where positions look: (B, 3, LOOKING_HEADS, T, T), the attention weights of
        the first heads of three layers, which an aid of the training tells what to look at."""
        logits, attention = self._attended(ids, visual, table, None)
        return logits, torch.stack([attention[i][:, :LOOKING_HEADS] for i in self.size.language.looking_layers], 1)

    def _attended(
        self, ids: Tensor, visual: Tensor, table: Tensor, hidden: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        words = F.embedding(ids, self.language.embed_tokens.weight).to(table.dtype)
        seen = F.embedding(visual.clamp(min=0), table)
        attended: tuple[Tensor, list[Tensor]] = self.language(
            torch.where((visual >= 0)[..., None], seen, words), hidden
        )
        return attended

    def _initialise(self) -> None:
        for name, weight in self.named_parameters():
            if weight.dim() == 2 and name != "vision.position_embedding":
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
        # Outputs of residual branches start small, as deep towers need; word embeddings are tied to the head.
        for tower, outputs in ((self.vision, ("out_proj", "fc2")), (self.language, ("o_proj", "down_proj"))):
            scale = (2 * len(tower.layers)) ** -0.5
            for layer in tower.layers:
                for output in outputs:
                    getattr(layer, output).weight.data.mul_(0.7 * scale)
        nn.init.normal_(self.language.embed_tokens.weight, std=0.15)


def halved(grids: Tensor, side: int) -> Tensor:
    """(N, side², D) to (N, ceil(side/2)², D): bilinear, half-pixel centres, as video frames are pooled."""
    count, _, width = grids.shape
    cells = grids.transpose(1, 2).reshape(count, width, side, side)
    half = (side + 1) // 2
    return F.interpolate(cells.float(), size=(half, half), mode="bilinear").to(grids.dtype).flatten(2).transpose(1, 2)


def _heads(x: Tensor, heads: int) -> Tensor:
    batch, positions, width = x.shape
    return x.view(batch, positions, heads, width // heads).transpose(1, 2)


def _joined(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


def _attention(q: Tensor, k: Tensor, hidden: Tensor | None) -> Tensor:
    # Written out: on a processor with matrix units the library's fused kernel is slower at these sizes.
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    if hidden is not None:
        scores = scores.masked_fill(hidden, float("-inf"))
    return torch.softmax(scores, -1)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin
