"""Ten steps on twenty examples of one's own, and every way in which such examples can be wrong."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest
import torch
from PIL import Image

from lladav_training import scenes
from lladav_training.__main__ import texts
from lladav_training.checkpoint import load_checkpoint, save_checkpoint
from lladav_training.conversations import BadRecord, Record, read_records
from lladav_training.drawing import draw
from lladav_training.model import LanguageSize, LladaV, ModelSize, VisionSize
from lladav_training.tuning import RefusedData, Tuning, load_records, tune
from lladav_training.vocabulary import Vocabulary, train_tokenizer


@pytest.fixture(scope="module")
def small() -> tuple[LladaV, Vocabulary]:
    torch.manual_seed(1)
    vocabulary = Vocabulary(train_tokenizer(texts(1)))
    size = ModelSize(VisionSize(32, 2, 2, 64), LanguageSize(vocabulary.size, 32, 2, 2, 2, 64))
    return LladaV(size), vocabulary


def _dialogue(image: str | list[str] | None, *said: tuple[str, str]) -> dict[str, object]:
    line: dict[str, object] = {"conversations": [{"from": who, "value": what} for who, what in said]}
    if image is not None:
        line["image"] = image
    return line


def _data(folder: Path, lines: list[object]) -> Path:
    rng = random.Random(1)
    for name, grid in (("a.png", None), ("b.png", (2, 1))):
        draw(scenes.shapes(rng, grid=grid), rng).image.save(folder / name)
    (folder / "broken.png").write_bytes(b"not a picture")
    whole = io.BytesIO()
    Image.new("RGB", (64, 64)).save(whole, "JPEG")
    (folder / "cut.jpg").write_bytes(whole.getvalue()[:-40])
    data = folder / "data.jsonl"
    data.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return data


_ONE = _dialogue("a.png", ("human", "<image>\nWhat is it?"), ("gpt", "An elephant."))
_TWO = _dialogue(
    ["a.png", "b.png"], ("human", "<image> <image>\nWhich one?"), ("gpt", "b"), ("human", "Why?"), ("gpt", "c")
)
_TEXT = _dialogue(None, ("system", "Be brief."), ("human", "Hello"), ("gpt", "Hi"))
_WIDE = _dialogue("b.png", ("human", "Look at <image> and tell."), ("gpt", "Done."))


def test_ten_steps_on_twenty_examples_give_a_checkpoint(tmp_path: Path, small: tuple[LladaV, Vocabulary]) -> None:
    model, vocabulary = small
    data = _data(tmp_path, [_ONE, _TWO, _TEXT, _WIDE] * 5)
    records = load_records(data, tmp_path, vocabulary, 1024, skip=False)
    assert len(records) == 20
    losses = list(tune(model, vocabulary, records, Tuning(steps=10, batch=4, rate=5e-3)))
    assert len(losses) == 10 and all(torch.isfinite(torch.tensor(losses)))
    save_checkpoint(model, vocabulary, tmp_path / "out")
    loaded, again = load_checkpoint(tmp_path / "out")
    assert again.size == vocabulary.size
    for (name, kept), (_, was) in zip(loaded.named_parameters(), model.named_parameters()):
        torch.testing.assert_close(kept.data, was.data.to(torch.bfloat16).float(), msg=name)


def test_tuning_learns_what_it_is_shown(tmp_path: Path, small: tuple[LladaV, Vocabulary]) -> None:
    model, vocabulary = small
    records = load_records(_data(tmp_path, [_TEXT]), tmp_path, vocabulary, 1024, skip=False)
    losses = list(tune(model, vocabulary, records, Tuning(steps=60, batch=4, rate=5e-3)))
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])


_BAD: list[tuple[str, object, str]] = [
    ("no JSON", b"{", ":1: not a JSON object"),
    ("no object", [1], ":1: a JSON object is needed, not list"),
    ("missing picture", {**_ONE, "image": "none.png"}, "none.png does not exist"),
    ("unreadable picture", {**_ONE, "image": "broken.png"}, "broken.png cannot be read"),
    ("picture cut short", {**_ONE, "image": "cut.jpg"}, "cut.jpg cannot be read"),
    ("not UTF-8", b'{"image": "\xe9.png"}', "not UTF-8: byte 12 of the line is 0xe9"),
    ("picture of a wrong type", {**_ONE, "image": 7}, "image must be a path or a list of paths"),
    ("no conversations", {"image": "a.png"}, "conversations must be a list"),
    ("unknown role", _dialogue(None, ("robot", "Hi"), ("gpt", "Hi")), "message 0 has the unknown role 'robot'"),
    ("two questions", _dialogue(None, ("human", "Hi"), ("human", "Hi")), "message 1 is from the user"),
    (
        "two after a system message",
        _dialogue(None, ("system", "S"), ("gpt", "Hi"), ("human", "Hi")),
        "message 1 is from",
    ),
    ("no answer", _dialogue(None, ("human", "Hi")), "the last question has no answer"),
    ("empty answer", _dialogue(None, ("human", "Hi"), ("gpt", " ")), "message 1 is an empty answer"),
    ("too few placeholders", {**_ONE, "image": ["a.png", "b.png"]}, "2 pictures but 1 <image> placeholders"),
    ("placeholder in an answer", _dialogue("a.png", ("human", "Hi"), ("gpt", "<image>")), "only questions may"),
    ("special token", _dialogue(None, ("human", "Hi <|eot_id|>"), ("gpt", "Hi")), "holds the special token <|eot_id|>"),
    ("too long", _dialogue(None, ("human", "Hi"), ("gpt", "word " * 600)), "at most 512 are allowed"),
]


@pytest.mark.parametrize(
    ("line", "message"), [(line, said) for _, line, said in _BAD], ids=[name for name, _, _ in _BAD]
)
def test_bad_records_are_reported_with_file_and_line(
    line: object, message: str, tmp_path: Path, small: tuple[LladaV, Vocabulary], capsys: pytest.CaptureFixture[str]
) -> None:
    _, vocabulary = small
    data = _data(tmp_path, [line, _ONE])
    assert len(load_records(data, tmp_path, vocabulary, 512, skip=True)) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"skipped: {data}:1: ") and message in said
    with pytest.raises(RefusedData, match="1 of 2 records"):
        load_records(data, tmp_path, vocabulary, 512, skip=False)


def test_blank_lines_are_no_records(tmp_path: Path) -> None:
    data = _data(tmp_path, [_TEXT, b"", _ONE])
    records = list(read_records(data, tmp_path))
    assert all(isinstance(record, Record) and not isinstance(record, BadRecord) for record in records)
    assert [record.source for record in records if isinstance(record, Record)] == [f"{data}:1", f"{data}:3"]
