"""What heads are told to look at: the object that a name, or a part of a reply, is about."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
import torch

from lladav_training.__main__ import texts
from lladav_training.batches import FORMS, Mix, clip_layout, dialogue_batch
from lladav_training.dialogues import Canvas, add_question, add_reply, opened
from lladav_training.images import NEWLINE, PATCHES
from lladav_training.labels import GRID, PatchLabels
from lladav_training.looking import NAME, OBJECT, WORD, looked_at, looking_loss, looks_of
from lladav_training.questions import NOTHING, Look, Turn, ask
from lladav_training.scenes import ShapesScene, shapes
from lladav_training.vocabulary import Vocabulary, train_tokenizer


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(train_tokenizer(texts(1)))


def test_names_look_at_objects_and_replies_at_names_and_objects(vocabulary: Vocabulary) -> None:
    question = "Which is larger, the red circle or the blue star?"
    asked = tuple(
        Look(mark, begin=question.index(name), end=question.index(name) + len(name))
        for mark, name in ((1, "red circle"), (2, "blue star"))
    )
    turn = Turn("size", question, "blue star", looks=(Look(2), Look(1, head=1)), asked=asked)
    canvas = opened(vocabulary, None)
    add_question(canvas, vocabulary, turn.text())
    reply = len(canvas)
    add_reply(canvas, vocabulary, turn.answer)

    def word(position: int) -> str:
        return vocabulary.decode([canvas.ids[position]]).strip()

    found = looks_of(vocabulary, turn, reply)
    names = {(word(at), look.mark) for at, layer, _, look in found if layer == NAME and isinstance(look, Look)}
    assert names == {("circle", 1), ("star", 2)}
    objects = [(at - reply, head, look.mark) for at, _, head, look in found if isinstance(look, Look) and at >= reply]
    assert sorted(objects) == [(0, 0, 2), (0, 1, 1), (1, 0, 2), (1, 1, 1)]
    words = [
        (at - reply, head, word(look)) for at, layer, head, look in found if layer == WORD and isinstance(look, int)
    ]
    assert sorted(words) == [(0, 0, "star"), (0, 1, "circle"), (1, 0, "star"), (1, 1, "circle")]


def test_a_part_of_a_reply_looks_at_its_own_object(vocabulary: Vocabulary) -> None:
    answer = "top left: red circle, top right: blue star"
    looks = tuple(
        Look(mark, begin=answer.index(part), end=answer.index(part) + len(part))
        for mark, part in ((1, "top left: red circle"), (2, "top right: blue star"))
    )
    turn = Turn("list", "List what is where.", answer, looks=looks)
    found = looks_of(vocabulary, turn, 100)
    ids = vocabulary.encode(answer)
    for mark, part in ((1, "top left: red circle"), (2, " top right: blue star")):
        at = [at - 100 for at, layer, _, look in found if layer == OBJECT and look == looks[mark - 1]]
        assert vocabulary.decode([ids[i] for i in at]) == part


def test_an_object_stands_where_its_patches_do() -> None:
    first, second = _labels(3), _labels(3, 4)
    canvas = Canvas()
    canvas.add([7, 7])
    canvas.show((*range(2 * PATCHES), NEWLINE), 7)
    shown = looked_at(Look(1, picture=1), [first, second], False, canvas)
    assert np.flatnonzero(shown).tolist() == [2 + PATCHES + 3, 2 + PATCHES + 4]
    assert np.flatnonzero(looked_at(Look(NOTHING), [first], False, canvas)).tolist() == [0]
    assert np.flatnonzero(looked_at(5, [first], False, canvas)).tolist() == [5]
    assert not looked_at(Look(2), [first], False, canvas).any()


def test_an_object_of_a_clip_stands_where_its_pooled_patches_do() -> None:
    canvas = Canvas()
    canvas.show(clip_layout(2), 7)
    corner = _labels(PATCHES - 1)
    shown = looked_at(Look(1, picture=1), [corner, corner], True, canvas)
    # Behind the first frame, 4 rows of 4 and a separator: the last patch of the last row.
    assert np.flatnonzero(shown).tolist() == [20 + 3 * 5 + 3]


@pytest.mark.parametrize("form", FORMS)
def test_only_replies_look_at_names(vocabulary: Vocabulary, form: str) -> None:
    batch = dialogue_batch(vocabulary, Mix({form: 1.0}, {"shapes": 0.6, "bars": 0.2, "sign": 0.2}), 4, form)
    assert bool(batch.looked_at.any(1).all())
    for dialogue, position, layer, _ in batch.looks.tolist():
        assert bool(batch.weights[dialogue, position]) == (layer != NAME)


def test_looking_is_paid_by_what_falls_beside_the_object() -> None:
    attention = torch.zeros(1, 3, 2, 3, 3)
    attention[0, OBJECT, 0, 2] = torch.tensor([0.5, 0.25, 0.25])
    looks = torch.tensor([[0, 2, OBJECT, 0]])
    elsewhere = looking_loss(attention, looks, torch.tensor([[False, True, False]]))
    both = looking_loss(attention, looks, torch.tensor([[True, True, False]]))
    assert float(elsewhere) == pytest.approx(-math.log(0.25), abs=1e-3)
    assert float(both) == pytest.approx(-math.log(0.75), abs=1e-3)


def _labels(*patches: int) -> PatchLabels:
    """Labels of a picture whose first mark lies on these patches."""
    marks = np.zeros(GRID * GRID, dtype=np.int64)
    marks[list(patches)] = 1
    return PatchLabels(np.zeros((GRID * GRID, 1), np.uint8), np.zeros((GRID * GRID, 1), np.float32), marks)


@pytest.mark.parametrize("count", range(7))
def test_what_is_counted_shares_the_attention_with_nothing(count: int) -> None:
    scene = shapes(random.Random(count), count, count)
    assert isinstance(scene, ShapesScene)
    found = ask("count", random.Random(1), scene)
    assert found is not None
    marks = Counter(look.mark for look in found[0].looks)
    assert marks == {**{mark: 1 for mark in range(1, count + 1)}, NOTHING: 7 - count}
