"""Dialogues and batches: which positions are prompt, picture and reply, and what is masked."""

from __future__ import annotations

import pytest
import torch

from lladav_training.__main__ import texts
from lladav_training.batches import FORMS, Batch, Mix, dialogue_batch, tile_batch
from lladav_training.dialogues import add_question, add_reply, opened, with_pictures
from lladav_training.images import NEWLINE
from lladav_training.vocabulary import DEFAULT_SYSTEM, Vocabulary, train_tokenizer

_SOURCES = {"shapes": 0.6, "bars": 0.2, "sign": 0.2}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(train_tokenizer(texts(1)))


def test_a_word_of_the_domain_is_one_token(vocabulary: Vocabulary) -> None:
    for text in (" circle", " purple", "top", " left", " highest", "yes"):
        assert len(vocabulary.encode(text)) == 1, text
    assert vocabulary.decode(list(vocabulary.encode("Crème brûlée 42"))) == "Crème brûlée 42"


def test_special_tokens_in_text_are_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="special tokens"):
        vocabulary.encode("Hi <|eot_id|>")


def test_the_first_token_after_a_picture_is_dropped_as_at_inference(vocabulary: Vocabulary) -> None:
    layout = (0, 1, NEWLINE)
    kept, dropped = opened(vocabulary, None), opened(vocabulary, None)
    text = with_pictures("Where?", 2)
    assert text == "<image> <image>\nWhere?"
    add_question(kept, vocabulary, text, [layout, layout], drop_first=False)
    add_question(dropped, vocabulary, text, [layout, layout])
    assert len(kept) - len(dropped) == 2
    assert [at for at in dropped.visual if at is not None] == [*layout, *layout]
    question = [*vocabulary.encode("Where?"), vocabulary.end_of_turn, *vocabulary.header("assistant")]
    assert dropped.ids[-len(question) :] == question


def test_pictures_and_placeholders_must_agree(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="1 pictures but 2 placeholders"):
        add_question(opened(vocabulary), vocabulary, "<image> <image>", [(0,)])


def test_a_reply_is_labelled_with_its_end(vocabulary: Vocabulary) -> None:
    canvas = opened(vocabulary, DEFAULT_SYSTEM)
    add_question(canvas, vocabulary, "Where?")
    assert not any(canvas.weights)
    add_reply(canvas, vocabulary, "top left", ends=3, end_weight=0.2)
    assert canvas.weights[-5:] == [1.0, 1.0, 1.0, 0.2, 0.2]
    assert canvas.ids[-3:] == [vocabulary.end_of_turn] * 3


@pytest.mark.parametrize("form", FORMS)
def test_batches_are_drawn_from_their_seed_alone(vocabulary: Vocabulary, form: str) -> None:
    mix = Mix({form: 1.0}, _SOURCES, noise="mixed")
    first, again, other = (dialogue_batch(vocabulary, mix, 2, seed) for seed in ("a", "a", "b"))
    for name in ("tiles", "ids", "visual", "weights", "masked", "p", "looks", "looked_at"):
        assert torch.equal(getattr(first, name), getattr(again, name)), name
    assert not torch.equal(first.ids, other.ids)
    _check(first, vocabulary)


def test_full_noise_masks_every_reply(vocabulary: Vocabulary) -> None:
    batch = dialogue_batch(vocabulary, Mix({"one": 1.0}, _SOURCES), 4, "full")
    assert torch.equal(batch.masked, batch.weights > 0)


def test_uniform_noise_is_spread_over_the_batch(vocabulary: Vocabulary) -> None:
    batch = dialogue_batch(vocabulary, Mix({"one": 1.0}, _SOURCES, noise="uniform", end_weight=1.0), 8, "uniform")
    assert sorted(int(p * 8) for p in batch.p[:, 0].tolist()) == list(range(8))
    assert set(batch.weights.flatten().tolist()) == {0.0, 1.0}


def test_tiles_are_those_of_the_form(vocabulary: Vocabulary) -> None:
    batch = dialogue_batch(vocabulary, Mix({"large": 1.0}, _SOURCES), 3, "tiles")
    assert batch.tiles.shape[0] == 15
    tiles = tile_batch(_SOURCES, 5, "x")
    assert tiles.tiles.shape == (5, 3, 112, 112) and tiles.classes.shape[:2] == (5, 49)


def _check(batch: Batch, vocabulary: Vocabulary) -> None:
    assert not bool((batch.masked & (batch.weights == 0)).any())
    assert not bool(((batch.visual >= 0) & (batch.weights > 0)).any())
    assert bool(((batch.visual >= 0).sum(1) > 40).all())
    for b, turns in enumerate(batch.turns):
        assert turns
        for _, begin, end in turns:
            assert int(batch.ids[b, end - 1]) == vocabulary.end_of_turn
            assert bool((batch.weights[b, begin:end] == 1).all())
            assert batch.weights[b, begin - 1] == 0
