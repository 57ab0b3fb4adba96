"""A run stopped anywhere and taken up again ends as one that was never stopped; what it ends as can be served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lladav_training.__main__ import texts
from lladav_training.answers import answers
from lladav_training.batches import Mix
from lladav_training.checkpoint import load_checkpoint, save_checkpoint
from lladav_training.dialogues import Canvas, table_rows
from lladav_training.evaluation import evaluation
from lladav_training.model import LanguageSize, LladaV, ModelSize, VisionSize
from lladav_training.questions import CORE, FURTHER
from lladav_training.sampler import reply
from lladav_training.stages import DialogueStage, NamingStage, Stage, TowerStage
from lladav_training.training import Run
from lladav_training.vocabulary import Vocabulary, train_tokenizer

_RECIPE: tuple[Stage, ...] = (
    TowerStage("towers", 3, 4, 1e-3),
    NamingStage("stage1", 2, 4, 1e-3),
    DialogueStage("stage2", 4, 2, 1e-3, mix=Mix({"one": 1.0}, {"shapes": 1.0}), vision=0.2, dense=0.1, looking=0.1),
    DialogueStage("stage3", 2, 2, 1e-3, fall=1.0, mix=Mix({"clip": 1.0}, {"shapes": 1.0}, noise="uniform")),
)


def _run(folder: Path) -> Run:
    folder.mkdir(exist_ok=True)
    torch.manual_seed(1)
    vocabulary = Vocabulary(train_tokenizer(texts(1)))
    size = ModelSize(VisionSize(32, 2, 2, 64), LanguageSize(vocabulary.size, 32, 2, 2, 2, 64))
    return Run(folder, LladaV(size), vocabulary, _RECIPE, seed=1, compiled=False)


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole")
    assert whole.train(float("inf"))
    stops = 0
    while True:
        part = _run(tmp_path / "part")
        assert part.resume() == (stops > 0)
        # A clock that has run out stops after one step.
        if part.train(until=0.0):
            break
        stops += 1
    assert stops == sum(stage.steps for stage in _RECIPE)
    for (name, kept), (_, again) in zip(whole.model.named_parameters(), part.model.named_parameters()):
        assert torch.equal(kept, again), name


def test_a_run_that_goes_on_forgets_what_it_wrote_after_its_last_state(tmp_path: Path) -> None:
    run = _run(tmp_path)
    run.train(until=0.0)
    log = tmp_path / "log.jsonl"
    kept = '{"stage": "towers", "step": 1, "seconds": 0, "loss": 1.0}\n'
    log.write_text(
        kept + '{"stage": "towers", "step": 2, "seconds": 0}\n{"stage": "stage1", "step": 1, "seconds": 0}\n'
    )
    again = _run(tmp_path)
    assert again.resume()
    again.train(until=0.0)
    assert log.read_text() == kept


def test_a_run_without_a_state_starts_its_log_anew(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"stage": "towers", "step": 1, "seconds": 0}\n')
    _run(tmp_path).train(until=0.0)
    assert (tmp_path / "log.jsonl").read_text() == ""


def test_a_run_goes_on_only_as_it_was_begun(tmp_path: Path) -> None:
    _run(tmp_path).train(until=0.0)
    other = _run(tmp_path)
    other.seed = 2
    with pytest.raises(ValueError, match="begun with seed 1, not 2"):
        other.resume()
    other.seed, other.recipe = 1, (TowerStage("towers", 3, 4, 2e-3), *_RECIPE[1:])
    with pytest.raises(ValueError, match="begun with the stage TowerStage"):
        other.resume()
    other.recipe = (*_RECIPE[:1], NamingStage("stage1", 7, 4, 1e-3), *_RECIPE[2:])
    assert other.resume(), "a stage that is not begun may be changed"


def test_a_checkpoint_replaces_only_a_checkpoint(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "cat.png").write_bytes(b"")
    with pytest.raises(ValueError, match="holds other files and no checkpoint"):
        save_checkpoint(run.model, run.vocabulary, mine)
    with pytest.raises(ValueError, match="a file stands"):
        save_checkpoint(run.model, run.vocabulary, mine / "cat.png")
    save_checkpoint(run.model, run.vocabulary, tmp_path / "new")
    save_checkpoint(run.model, run.vocabulary, tmp_path / "new")
    assert (mine / "cat.png").exists()


def test_a_run_writes_what_it_learned(tmp_path: Path) -> None:
    run = _run(tmp_path)
    run.train(float("inf"))
    stages = {json.loads(line)["stage"] for line in (tmp_path / "log.jsonl").read_text().splitlines()}
    assert stages == {stage.name for stage in _RECIPE}


def test_a_checkpoint_answers_a_question(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    save_checkpoint(run.model, run.vocabulary, tmp_path / "checkpoint")
    model, vocabulary = load_checkpoint(tmp_path / "checkpoint")
    folder = tmp_path / "questions"
    (folder / "pictures").mkdir(parents=True)
    lines = []
    for kind in ("place", "change", "mover", "follow_up"):
        question = next(q for q in evaluation(seed=7) if q.turn.kind == kind)
        names = [f"pictures/{kind}-{i}.png" for i in range(len(question.images))]
        for image, name in zip(question.images, names):
            image.save(folder / name)
        line: dict[str, object] = {"id": kind, "question": question.turn.question, "gen_length": 4}
        line["video" if kind == "mover" else "images"] = names
        if len(question.exchange) > 1:
            line["earlier"] = [{"question": t.question, "answer": t.answer} for t in question.exchange[:-1]]
        lines.append(json.dumps(line))
    (folder / "questions.jsonl").write_text("\n".join(lines))
    found = list(answers(model, vocabulary, folder))
    assert [answered.identity for answered in found] == ["place", "change", "mover", "follow_up"]
    assert all(1 <= answered.reply.forwards <= 4 for answered in found)


def test_the_plain_sampler_commits_the_most_certain_first() -> None:
    vocabulary = Vocabulary(train_tokenizer(texts(1)))
    scripted = _Scripted(vocabulary, certain=[2.0, 4.0, 3.0, 1.0], ends=2)
    prompt = Canvas()
    prompt.add([vocabulary.start])
    found = reply(scripted, vocabulary, prompt, torch.tensor([table_rows(prompt.visual, 0)]), torch.zeros(1, 1), 4, 4)  # type: ignore[arg-type]
    assert found.ids == [301, 301]
    assert 0 < found.closest < 0.1
    # Position 1, then the end at 2; what stands behind the end is never committed.
    assert [sorted(masked) for masked in scripted.seen] == [[0, 1, 2, 3], [0, 2, 3], [0, 3]]


class _Scripted:
    """A model that always says id 301 with a fixed certainty per position, and the end at one."""

    def __init__(self, vocabulary: Vocabulary, certain: list[float], ends: int) -> None:
        self._vocabulary, self._certain, self._ends = vocabulary, certain, ends
        self.seen: list[list[int]] = []

    def __call__(self, ids: torch.Tensor, rows: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        self.seen.append([i - 1 for i in range(ids.shape[1]) if int(ids[0, i]) == self._vocabulary.mask])
        logits = torch.zeros(1, ids.shape[1], self._vocabulary.size)
        for i, certainty in enumerate(self._certain):
            logits[0, 1 + i, self._vocabulary.end_of_turn if i == self._ends else 301] = certainty * 5
        return logits


def test_the_evaluation_asks_1500_questions_of_every_kind_and_both_combinations() -> None:
    counts: dict[tuple[str, bool], int] = {}
    for question in evaluation(seed=1):
        key = question.turn.kind, question.unseen
        counts[key] = counts.get(key, 0) + 1
        assert question.scene.unseen() == question.unseen
    assert sum(counts.values()) == 1500
    assert {kind for kind, _ in counts} == {*CORE, *FURTHER}
    assert min(counts.values()) >= 18
