"""The recipe: the paper's stages (section 3.3) in small, each with its aids named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .batches import Mix

PICTURES = {"shapes": 0.5, "bars": 0.15, "sign": 0.35}
"""What the dense aids are paid on."""


@dataclass(frozen=True)
class Stage:
    """`steps` batches of `batch` dialogues (or pictures). The learning rate warms up, stays, and falls over the last
    `fall` share of the stage to `floor` of itself."""

    name: str
    steps: int
    batch: int
    rate: float
    warm_up: int = 50
    fall: float = 0.0
    floor: float = 0.02


@dataclass(frozen=True)
class TowerStage(Stage):
    """Aid: the vision tower alone, on dense labels. Stands for SigLIP 2's own pretraining."""

    sources: Mapping[str, float] = field(default_factory=lambda: dict(PICTURES))


@dataclass(frozen=True)
class NamingStage(Stage):
    """Stage 1, the projector alone. Its target is an aid: word embeddings of what each patch shows."""

    sources: Mapping[str, float] = field(default_factory=lambda: dict(PICTURES))


@dataclass(frozen=True)
class DialogueStage(Stage):
    """Stages 2 and 3: dialogues. `vision` is the vision tower's share of the learning rate (0: frozen), `dense`,
    `naming` and `looking` the weights of those aids beside the objective."""

    mix: Mix = field(default_factory=lambda: Mix({"one": 1.0}, {"shapes": 1.0}))
    vision: float = 0.0
    dense: float = 0.0
    naming: float = 0.0
    looking: float = 0.0


_EARLY = {"description": 0.4, "list": 0.5, "reasoning": 0.6, "follow_up": 0.8, "relation": 1.4, "size": 1.4,
          "place": 1.4, "existence": 1.3, "kind_count": 1.2, "pair_existence": 1.3, "bar_other": 1.5}  # fmt: skip
_LATE = {"description": 0.8, "list": 0.8, "reasoning": 1.2, "follow_up": 1.2, "size": 3.0, "count": 1.4,
         "kind_count": 1.5, "place": 1.2, "existence": 1.4, "pair_existence": 1.5, "bar_other": 1.2}  # fmt: skip
_LAST = {"description": 1.0, "list": 0.8, "reasoning": 1.8, "follow_up": 1.2, "size": 2.0, "count": 2.2,
         "kind_count": 2.0, "existence": 1.2, "pair_existence": 1.8, "change": 2.4, "reading": 1.6,
         "highest": 0.6, "bars": 0.8, "text_color": 0.8}  # fmt: skip
_FORMS = {"one": 0.08, "anyres": 0.38, "wide": 0.09, "tall": 0.09, "large": 0.1, "pair": 0.13, "clip": 0.13}
_LAST_FORMS = {"one": 0.04, "anyres": 0.4, "wide": 0.08, "tall": 0.08, "large": 0.08, "pair": 0.2, "clip": 0.12}
_SOURCES = {"shapes": 0.7, "bars": 0.14, "sign": 0.16}
"""Stages ask most for what the stage before was weakest at, by the dialogues it examined itself with."""

RECIPE: tuple[Stage, ...] = (
    TowerStage("towers", 3500, 48, 1.2e-3, warm_up=100, fall=0.3),
    NamingStage("stage1-projector", 400, 32, 2e-3, fall=0.5),
    DialogueStage(
        "stage2-two-objects", 400, 32, 1e-3, warm_up=100, naming=0.1, looking=0.4,
        mix=Mix({"one": 1}, {"shapes": 1}, _EARLY, least=1, most=2, turns=3),
    ),
    DialogueStage(
        "stage2-single", 1500, 32, 1e-3, naming=0.1, looking=0.4,
        mix=Mix({"one": 0.5, "anyres": 0.5}, _SOURCES, _EARLY, turns=3),
    ),
    DialogueStage(
        "stage2-several", 3500, 24, 1e-3, vision=0.2, dense=0.1, naming=0.05, looking=0.2,
        mix=Mix(_FORMS, _SOURCES, _LATE, noise="mixed", system=0.7, turns=3),
    ),
    DialogueStage(
        "stage3-reasoning", 2400, 24, 8e-4, fall=0.8, floor=0.01, vision=0.2,
        mix=Mix(_LAST_FORMS, _SOURCES, _LAST, noise="uniform", end_weight=1.0, system=0.9, tail=0.2),
    ),
)  # fmt: skip
