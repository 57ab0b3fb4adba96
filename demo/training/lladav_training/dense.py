"""Aids of every stage but the last: dense labels for the vision tower, and naming for the projector.

Neither is part of the paper's recipe, nor of the model that is exported; both use labels that only drawn pictures
have. Without them a model of this size stays on the plateau where answers follow the prior.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attributes import COLOR_NAMES, COLUMNS, RANKS, ROWS, SHAPES, SIGN_WORDS, SIZES
from .drawing import LETTERS, UNNAMED
from .labels import ATTRIBUTES, CELLS
from .model import Projector
from .vocabulary import Vocabulary

_WEIGHTS = {
    "color": 1.0, "shape": 1.0, "size": 0.5, "row": 0.5, "column": 0.5, "rank": 0.5, "order": 0.5,
    "letter": 1.0, "word": 0.7, "centre": 0.5, "patch_row": 0.3, "patch_column": 0.3,
}  # fmt: skip
_BACKGROUND = 0.08
"""Weight of patches without the attribute: most are, and with equal weights they drown the others."""
_SMALL = 0.05
"""Weight of the projected patches' mean square: they must stay as small as word embeddings, or no layer moves them."""
_WITHOUT_BACKGROUND = ("patch_row", "patch_column")

NAMES: dict[str, tuple[str, ...]] = {
    "color": COLOR_NAMES,
    "shape": (*SHAPES, "bar"),
    "size": SIZES,
    "row": ROWS,
    "column": COLUMNS,
    "rank": RANKS,
    "letter": tuple(LETTERS),
    "word": SIGN_WORDS,
}
"""Words by attribute; word i names class i + 1."""


class DenseHeads(nn.Module):
    """Linear readings of the vision tower's features (N, 49, width); used in training only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.classes = nn.Linear(width, sum(ATTRIBUTES.values()))
        self.outline = nn.Linear(width, CELLS * CELLS)

    def forward(self, features: Tensor, classes: Tensor, outline: Tensor) -> Tensor:
        """The weighted sum of the attributes' losses."""
        read = self.norm(features)
        scores = self.classes(read).float().split(list(ATTRIBUTES.values()), -1)
        loss = F.binary_cross_entropy_with_logits(self.outline(read).float(), outline)
        for i, (name, score) in enumerate(zip(ATTRIBUTES, scores)):
            weight = None
            if name not in _WITHOUT_BACKGROUND:
                weight = torch.ones(score.shape[-1], device=score.device)
                weight[0] = 0.25 if name == "centre" else _BACKGROUND
            loss = loss + _WEIGHTS[name] * F.cross_entropy(
                score.flatten(0, 1), classes[..., i].flatten(), weight, ignore_index=UNNAMED
            )
        return loss

    @torch.no_grad()
    def accuracies(self, features: Tensor, classes: Tensor) -> dict[str, float]:
        """Share of right classes per attribute, over the patches that have the attribute."""
        scores = self.classes(self.norm(features)).float().split(list(ATTRIBUTES.values()), -1)
        found = {}
        for i, (name, score) in enumerate(zip(ATTRIBUTES, scores)):
            right = score.argmax(-1) == classes[..., i]
            there = (classes[..., i] > 0) & (classes[..., i] != UNNAMED)
            found[name] = float(right[there].float().mean()) if bool(there.any()) else float("nan")
        return found


class Naming:
    """Makes a projected patch point at the word embeddings of what it shows: its colour, shape, place, and so on."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        words = vocabulary.words()
        self._groups: list[tuple[int, list[int], Tensor]] = []
        """Attribute's column, classes that have a word, and per class the ids of the word's spellings."""
        self._attributes = list(ATTRIBUTES)
        self._words = words
        for name, group in NAMES.items():
            known = [i for i, word in enumerate(group) if word in words]
            spellings = torch.tensor([(words[group[i]] * 2)[:2] for i in known])
            self._groups.append((self._attributes.index(name), [i + 1 for i in known], spellings))
        self._object = torch.tensor((words["object"] * 2)[:2])

    def accuracies(self, projected: Tensor, embeddings: Tensor, classes: Tensor) -> dict[str, float]:
        """Share of patches whose nearest word of a group is the right one, over the patches that have one."""
        flat, labels = projected.flatten(0, 1).float(), classes.flatten(0, 1)
        found = {}
        for name, (column, known, spellings) in zip(NAMES, self._groups):
            target = _ranks(known, labels.device)[labels[:, column]]
            there = target >= 0
            nearest = (flat[there] @ embeddings[spellings].float().mean(1).T).argmax(-1)
            found[name] = float((nearest == target[there]).float().mean())
        return found

    def loss(self, projected: Tensor, embeddings: Tensor, classes: Tensor) -> Tensor:
        """`projected` (N, 49, D), `embeddings` (V, D), `classes` (N, 49, attributes)."""
        embeddings = embeddings.detach().float()
        flat = projected.flatten(0, 1).float()
        labels = classes.flatten(0, 1)
        loss = _SMALL * flat.square().mean()
        for column, known, spellings in self._groups:
            target = _ranks(known, labels.device)[labels[:, column]]
            there = target >= 0
            if bool(there.any()):
                words = embeddings[spellings].mean(1)
                loss = loss + F.cross_entropy(flat[there] @ words.T, target[there])
        centre = labels[:, self._attributes.index("centre")].float()
        score = flat @ embeddings[self._object].mean(0) - 3.0
        return loss + F.binary_cross_entropy_with_logits(score, centre, pos_weight=score.new_tensor(4.0))


def _ranks(known: list[int], device: torch.device) -> Tensor:
    """Class to its place among the classes that have a word; -1 for the others."""
    ranks = torch.full((UNNAMED + 1,), -1)
    ranks[torch.tensor(known)] = torch.arange(len(known))
    return ranks.to(device)


@torch.no_grad()
def calibrate(projector: Projector, features: Tensor, scale: float) -> None:
    """Starts the projector where its hidden layer sees features of mean 0 and covariance 1, and gives rows whose
    elements have about `scale` as their standard deviation; in place, before any training of it.

    The tower's features (N, 49, width) have no closing norm: a few directions hold most of their variance, and as they
    are they would drown the word embeddings beside them.
    """
    flat = features.flatten(0, 1).double()
    mean = flat.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(flat.T))
    whiten = vectors @ torch.diag((values + 0.01 * values.mean()).rsqrt()) @ vectors.T
    first, second = projector.first, projector.second
    weight = first.weight.double() @ whiten
    first.weight.copy_(weight)
    first.bias.copy_(-weight @ mean)
    given = projector(features).std()
    second.weight.mul_(scale / given)
    second.bias.zero_()


def alike_spellings(embeddings: Tensor, vocabulary: Vocabulary, difference: float = 0.35) -> None:
    """Starts the spellings of one word (`red`, ` red`) near each other; in place, before any training."""
    with torch.no_grad():
        for ids in vocabulary.words().values():
            common = embeddings[ids[0]].clone()
            for number in ids[1:]:
                embeddings[number] = common + difference * (embeddings[number] - common)
