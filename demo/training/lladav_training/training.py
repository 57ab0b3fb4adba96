"""Runs the recipe: resumable to the step, with a log line per report and held-out dialogues asked on the way."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from .batches import Batch, TileBatch, dialogue_batch, tile_batch
from .dense import DenseHeads, Naming, calibrate
from .looking import looking_loss
from .loss import masked_diffusion_loss
from .model import LladaV
from .optimizer import optimizer_of, update
from .stages import PICTURES, DialogueStage, NamingStage, Stage, TowerStage
from .vocabulary import Vocabulary

_REPORT_EVERY = 50
_SAVE_EVERY = 250
_ASK_EVERY = 500
_ASKED_BATCHES = 12
_AID_PICTURES = 12
"""Pictures per step of a dialogue stage that the dense aids are paid on."""


class Run:
    """One training run in `folder`: its state, its log, and the batches that a seed gives."""

    def __init__(
        self,
        folder: Path,
        model: LladaV,
        vocabulary: Vocabulary,
        recipe: tuple[Stage, ...],
        seed: int,
        device: str = "cpu",
        compiled: bool = True,
    ) -> None:
        self.folder, self.model, self.vocabulary = folder, model, vocabulary
        self.recipe, self.seed, self.device = recipe, seed, torch.device(device)
        self.heads = DenseHeads(model.size.vision.width)
        self.naming = Naming(vocabulary)
        self.stage, self.step, self.seconds = 0, 0, 0.0
        self.model.to(self.device)
        self.heads.to(self.device)
        self.optimizer = self._new_optimizer()
        # One graph per form: their lengths and tile counts are fixed.
        torch._dynamo.config.cache_size_limit = 64
        self._looking = torch.compile(model.looking, dynamic=False) if compiled else model.looking

    def resume(self) -> bool:
        """Takes the run up where its folder says it stopped; False when nothing is there. ValueError when it was begun
        with another seed, or with other stages than the recipe's; stages that are not begun may still be changed."""
        file = self.folder / "state.pt"
        if not file.exists():
            return False
        state = torch.load(file, map_location=self.device, weights_only=True)
        if state["seed"] != self.seed:
            raise ValueError(f"{file}: the run was begun with seed {state['seed']}, not {self.seed}")
        for begun, stage in zip(state["begun"], self.recipe):
            if begun != repr(stage):
                raise ValueError(f"{file}: the run was begun with the stage {begun}; the recipe now says {stage!r}")
        self.model.load_state_dict(state["model"])
        self.heads.load_state_dict(state["heads"])
        self.stage, self.step, self.seconds = state["stage"], state["step"], state["seconds"]
        self.optimizer = self._new_optimizer()
        if state["optimizer"] is not None:
            self.optimizer.load_state_dict(state["optimizer"])
        return True

    def train(self, until: float) -> bool:
        """Trains until the recipe ends or the clock reads `until` (seconds of `time.monotonic`); True at the end."""
        self._forget_later_entries()
        begun, before = time.monotonic(), self.seconds
        while self.stage < len(self.recipe):
            stage = self.recipe[self.stage]
            losses: list[float] = []
            if isinstance(stage, NamingStage) and not self.step:
                self._calibrate(stage)
            for batch in self._batches(stage):
                losses.append(self._update(stage, batch))
                self.step += 1
                self.seconds = before + time.monotonic() - begun
                if self.step % _REPORT_EVERY == 0:
                    self._log({"loss": sum(losses) / len(losses), "rate": self._rate(stage)})
                    losses.clear()
                if self.step % _ASK_EVERY == 0 or self.step == stage.steps:
                    self._examine(stage)
                if time.monotonic() > until:
                    self._save()
                    return False
                if self.step % _SAVE_EVERY == 0:
                    self._save()
            self.stage, self.step = self.stage + 1, 0
            self.optimizer = self._new_optimizer()
            self._save()
        return True

    @torch.no_grad()
    def _calibrate(self, stage: NamingStage) -> None:
        batch = tile_batch(stage.sources, 256, f"{self.seed}/calibration")
        features = self.model.vision(batch.tiles.to(self.device))
        calibrate(self.model.projector, features, float(self.model.language.embed_tokens.weight.std()))

    def _batches(self, stage: Stage) -> Iterator[Batch | TileBatch]:
        drawn = _Drawn(self.vocabulary, stage, f"{self.seed}/{stage.name}", self.step)
        return iter(DataLoader(drawn, batch_size=None, num_workers=1, prefetch_factor=6))

    def _update(self, stage: Stage, batch: Batch | TileBatch) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(stage) * group["share"]
        loss = self._loss(stage, batch)
        return update(self.optimizer, loss)

    def _loss(self, stage: Stage, batch: Batch | TileBatch) -> Tensor:
        with self._autocast():
            if isinstance(batch, TileBatch):
                tiles, classes = batch.tiles.to(self.device), batch.classes.to(self.device)
                if isinstance(stage, TowerStage):
                    read: Tensor = self.heads(self.model.vision(tiles), classes, batch.outline.to(self.device))
                    return read
                with torch.no_grad():
                    features = self.model.vision(tiles)
                return self.naming.loss(
                    self.model.projector(features), self.model.language.embed_tokens.weight, classes
                )
            assert isinstance(stage, DialogueStage)
            return self._dialogue_loss(stage, batch)

    def _dialogue_loss(self, stage: DialogueStage, batch: Batch) -> Tensor:
        tiles = batch.tiles.to(self.device)
        with torch.set_grad_enabled(stage.vision > 0):
            features = self.model.vision(tiles)
        table = self.model.table_of(features, batch.clip)
        ids, masked = batch.ids.to(self.device), batch.masked.to(self.device)
        noised = ids.masked_fill(masked, self.vocabulary.mask)
        logits, attention = self._looking(noised, batch.visual.to(self.device), table)
        weights = batch.weights.to(self.device)
        loss = masked_diffusion_loss(logits, ids, masked, batch.p.to(self.device), weights)
        if stage.looking:
            looks, looked_at = batch.looks.to(self.device), batch.looked_at.to(self.device)
            loss = loss + stage.looking * looking_loss(attention, looks, looked_at)
        if batch.aid is not None:
            loss = loss + self._aid_loss(stage, batch.aid)
        return loss

    def _aid_loss(self, stage: DialogueStage, aid: TileBatch) -> Tensor:
        """The towers' own aids, on pictures of their own."""
        classes = aid.classes.to(self.device)
        with torch.set_grad_enabled(stage.vision > 0):
            features = self.model.vision(aid.tiles.to(self.device))
        words = self.model.language.embed_tokens.weight
        loss = stage.naming * self.naming.loss(self.model.projector(features), words, classes)
        if stage.dense:
            loss = loss + stage.dense * self.heads(features, classes, aid.outline.to(self.device))
        return loss

    @torch.no_grad()
    def _examine(self, stage: Stage) -> None:
        """Logs what a stage has learned."""
        if isinstance(stage, TowerStage | NamingStage):
            self._log({"patches": {name: round(share, 3) for name, share in self._patches(stage).items()}})
        else:
            assert isinstance(stage, DialogueStage)
            shares = {kind: round(sum(hits) / len(hits), 3) for kind, hits in sorted(self._replies(stage).items())}
            self._log({"accuracy": shares, "mean": round(sum(shares.values()) / len(shares), 3)})

    def _patches(self, stage: TowerStage | NamingStage) -> dict[str, float]:
        """Share of right patches by attribute, of pictures never trained."""
        batch = tile_batch(stage.sources, 256, f"{self.seed}/examined")
        classes = batch.classes.to(self.device)
        with self._autocast():
            features = self.model.vision(batch.tiles.to(self.device))
            if isinstance(stage, TowerStage):
                return self.heads.accuracies(features, classes)
            words = self.model.language.embed_tokens.weight
            return self.naming.accuracies(self.model.projector(features), words, classes)

    def _replies(self, stage: DialogueStage) -> dict[str, list[float]]:
        """Right replies (1) and wrong ones by kind, predicted in one step, of dialogues never trained."""
        right: dict[str, list[float]] = {}
        for number in range(_ASKED_BATCHES):
            batch = dialogue_batch(
                self.vocabulary,
                replace(stage.mix, noise="full"),
                stage.batch,
                f"{self.seed}/examined/{stage.name}/{number}",
            )
            with self._autocast():
                table = self.model.table_of(self.model.vision(batch.tiles.to(self.device)), batch.clip)
                noised = batch.ids.masked_fill(batch.masked, self.vocabulary.mask).to(self.device)
                guesses = self._looking(noised, batch.visual.to(self.device), table)[0].argmax(-1).cpu()
            for b, turns in enumerate(batch.turns):
                for kind, begin, end in turns:
                    same = bool((guesses[b, begin:end] == batch.ids[b, begin:end]).all())
                    right.setdefault(kind, []).append(float(same))
        return right

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        if self.stage >= len(self.recipe):
            return optimizer_of([([nn.Parameter(torch.zeros(1))], 1.0)], 0.0)
        stage = self.recipe[self.stage]
        model = self.model
        groups: list[tuple[list[nn.Parameter], float]]
        if isinstance(stage, TowerStage):
            groups = [([*model.vision.parameters(), *self.heads.parameters()], 1.0)]
        elif isinstance(stage, NamingStage):
            groups = [(list(model.projector.parameters()), 1.0)]
        else:
            assert isinstance(stage, DialogueStage)
            groups = [
                ([*model.projector.parameters(), *model.language.parameters(), model.image_newline], 1.0),
            ]
            if stage.vision:
                groups.append(([*model.vision.parameters(), *self.heads.parameters()], stage.vision))
        return optimizer_of(groups, stage.rate)

    def _rate(self, stage: Stage) -> float:
        rate = stage.rate * min(1.0, (self.step + 1) / stage.warm_up)
        falling = stage.steps * stage.fall
        left = stage.steps - self.step
        if left < falling:
            share = 0.5 - 0.5 * math.cos(math.pi * left / falling)
            rate *= stage.floor + (1 - stage.floor) * share
        return rate

    def _save(self) -> None:
        state = {
            "model": self.model.state_dict(), "heads": self.heads.state_dict(), "stage": self.stage,
            "step": self.step, "seconds": self.seconds, "seed": self.seed,
            "begun": [repr(stage) for stage in self.recipe[: self.stage + 1]],
            "optimizer": self.optimizer.state_dict() if self.step else None,
        }  # fmt: skip
        part = self.folder / "state.part"
        torch.save(state, part)
        part.replace(self.folder / "state.pt")

    def _forget_later_entries(self) -> None:
        """Drops what the log says of steps after the state that is gone on from: they will be run again."""
        log = self.folder / "log.jsonl"
        if not log.exists():
            return
        order = [stage.name for stage in self.recipe]

        def done(line: str) -> bool:
            entry = json.loads(line)
            return (order.index(entry["stage"]), entry["step"]) <= (self.stage, self.step)

        lines = log.read_text().splitlines(keepends=True)
        log.write_text("".join(line for line in lines if done(line)))

    def _log(self, entry: dict[str, object]) -> None:
        stage = self.recipe[self.stage].name
        line = json.dumps({"stage": stage, "step": self.step, "seconds": round(self.seconds), **entry})
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(line + "\n")


class _Drawn(Dataset[Batch | TileBatch]):
    """The rest of a stage's batches, from `first` on."""

    def __init__(self, vocabulary: Vocabulary, stage: Stage, seed: str, first: int) -> None:
        self._vocabulary, self._stage, self._seed, self._first = vocabulary, stage, seed, first

    def __len__(self) -> int:
        return self._stage.steps - self._first

    def __getitem__(self, index: int) -> Batch | TileBatch:
        if index >= len(self):
            raise IndexError(index)
        torch.set_num_threads(1)
        seed = f"{self._seed}/{self._first + index}"
        if isinstance(self._stage, DialogueStage):
            batch = dialogue_batch(self._vocabulary, self._stage.mix, self._stage.batch, seed)
            if self._stage.naming or self._stage.dense:
                batch.aid = tile_batch(PICTURES, _AID_PICTURES, f"{seed}/aid")
            return batch
        assert isinstance(self._stage, TowerStage | NamingStage)
        return tile_batch(self._stage.sources, self._stage.batch, seed)
