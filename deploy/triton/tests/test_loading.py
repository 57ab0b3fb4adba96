"""What cannot be loaded or understood is refused in one sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import CHECKPOINTS, CONFORMANCE, checkpoint, ints, settings

from lladav_models import operations, safetensors
from lladav_models.checkpoint import Checkpoint
from lladav_models.denoiser import Denoiser
from lladav_models.errors import LoadError, Refusal
from lladav_models.operations import Bias, Close, Describe, Open, RunStep, Write
from lladav_models.projector import Projector
from lladav_models.settings import Limits, Settings
from lladav_models.siglip2 import Siglip2
from lladav_models.work import Cache, Certainty, Features, Full, Window

Copy = Callable[[str, Callable[[Path], None]], Path]


def stored(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def one(**changes: Any) -> dict[str, Any]:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}


EIGHT = bytes(8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes long, too short for a header"),
        (b"1234567", "7 bytes long, too short for a header"),
        ((1 << 60).to_bytes(8, "little") + EIGHT, "header of 1152921504606846976 bytes (expected: 2..16777216)"),
        ((100).to_bytes(8, "little") + EIGHT, "truncated: 16 bytes long, but its header alone takes 108"),
        (stored(b"{nonsense"), "header is not valid JSON"),
        (stored(b"\xff\xff\xff"), "header is not valid JSON"),
        (stored(b"[" * 100000), "header is not valid JSON"),
        (stored(b'{"w": 1, "w": 2}'), "header is not valid JSON (a name twice)"),
        (stored([1]), "header is not a JSON object"),
        (stored({"w": 1}), "w: no description"),
        (stored(one(dtype="F8"), EIGHT), 'w: dtype: "F8" (expected one of F64, F32,'),
        (stored(one(dtype=[]), EIGHT), 'w: dtype: "[]" (expected one of'),
        (stored(one(shape=None), EIGHT), "w: shape is missing or no list"),
        (stored(one(shape=[-2]), EIGHT), "w: shape: [-2] (expected: whole numbers >= 0)"),
        (stored(one(shape=[2.0]), EIGHT), "w: shape: [2.0] (expected: whole numbers >= 0)"),
        (stored(one(shape=[1 << 40, 1 << 40]), EIGHT), "w: F32 of shape [1099511627776, 1099511627776] does not fill"),
        (stored(one(data_offsets=[8, 0]), EIGHT), "w: data_offsets: [8, 0] (expected: [begin, end])"),
        (stored(one(data_offsets=[0]), EIGHT), "w: data_offsets: [0] (expected: [begin, end])"),
        (stored(one()), "truncated: w ends at byte 8 of the data, but only 0 are there"),
        (stored(one(), EIGHT + b"x"), "1 bytes follow the last tensor"),
        (stored(one(data_offsets=[4, 12]), bytes(12)), "w begins at byte 4 of the data (expected: 0"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    with pytest.raises(LoadError, match=re.escape(message)):
        safetensors.read(file)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = stored(one(), EIGHT)
    file = tmp_path / "model.safetensors"
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(LoadError):
            safetensors.read(file)


def test_types_and_shapes_are_read(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "b": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [0, 4]},
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        "none": {"dtype": "F32", "shape": [0, 3], "data_offsets": [8, 8]},
    }
    file = tmp_path / "model.safetensors"
    file.write_bytes(stored(header, b"\x80\x3f\x00\xc0" + np.float32(1.5).tobytes()))
    tensors = {name: tensor.view() for name, tensor in safetensors.read(file).items()}
    assert tensors["b"].dtype == torch.bfloat16 and tensors["b"].tolist() == [[1.0], [-2.0]]
    assert tensors["a"].tolist() == [1.5]
    assert tensors["none"].shape == (0, 3)


# The same digests as the Java services compute: sha256 of the files in this order.
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_the_digest_is_of_all_files(name: str) -> None:
    import hashlib

    directory = CONFORMANCE / "checkpoints" / name
    files = ["config.json", "tokenizer.json", "tokenizer_config.json"]
    files += sorted(file.name for file in directory.glob("*.safetensors"))
    expected = hashlib.sha256(b"".join((directory / file).read_bytes() for file in files)).hexdigest()
    assert checkpoint(name).digest() == expected


@pytest.mark.parametrize(("name", "count"), zip(CHECKPOINTS, (1017, 737, 525, 621)))
def test_the_tokenizer_says_how_many_ids_there_are(name: str, count: int) -> None:
    assert checkpoint(name).tokens.count == count
    assert denoiser_tokens(name) == sorted(checkpoint(name).tokens.suppressed)


def denoiser_tokens(name: str) -> list[int]:
    tokenizer = json.loads((CONFORMANCE / "checkpoints" / name / "tokenizer.json").read_text())
    wanted = {"<|endoftext|>", "<|startoftext|>", "<|start_header_id|>", "<|end_header_id|>"}
    return sorted(token["id"] for token in tokenizer["added_tokens"] if token["content"] in wanted)


def change_config(**changes: Any) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        config = json.loads((directory / "config.json").read_text())
        (directory / "config.json").write_text(json.dumps(config | changes))

    return change


def replace(file: str, **content: Any) -> Callable[[Path], None]:
    def write_file(directory: Path) -> None:
        (directory / file).write_text(json.dumps(content))

    return write_file


def rename_mask(directory: Path) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (directory / file).write_text((directory / file).read_text().replace("<|mdm_mask|>", "<|mask|>"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "config.json").unlink(), "config.json: no such file; name the directory"),
        (lambda d: (d / "config.json").write_text("{"), "config.json: not valid JSON"),
        (lambda d: (d / "model.safetensors").unlink(), "no model*.safetensors"),
        (change_config(hidden_size=72), "stored shape [1088, 64] (expected by config.json: [1088, 72])"),
        (change_config(hidden_size="64"), 'hidden_size: "64" (expected: 2..131072)'),
        (change_config(hidden_size=None), "hidden_size: missing (expected: 2..131072)"),
        (change_config(num_attention_heads=64), "num_attention_heads: 64 (expected: an even head size"),
        (change_config(num_key_value_heads=3), "num_key_value_heads: 3 (expected: a divisor of 4)"),
        (change_config(num_hidden_layers=4), "no tensor model.layers.3.self_attn.q_proj.weight; copy all files"),
        (change_config(hidden_act="gelu"), 'hidden_act: "gelu" (expected: silu)'),
        (change_config(mm_projector_type="linear"), 'mm_projector_type: "linear" (expected: mlp2x_gelu)'),
        (change_config(mm_use_im_patch_token=True), "mm_use_im_patch_token: true (expected: false"),
        (change_config(rope_scaling={"type": "yarn", "factor": 2}), 'rope_scaling.type: "yarn" (expected: linear or'),
        (change_config(rms_norm_eps=0), "rms_norm_eps: 0 (expected: (0, 1))"),
        (change_config(vocab_size=500), "vocab_size: 500 (expected: at least the tokenizer's 1017 tokens)"),
        (change_config(mm_hidden_size=47), "mm_hidden_size: 47 (expected: 48..48)"),
        (lambda d: (d / "model2.safetensors").write_bytes((d / "model.safetensors").read_bytes()), "as well; remove"),
        (lambda d: (d / "tokenizer.json").write_text("{}"), "tokenizer.json: no model.vocab"),
        (replace("tokenizer.json", added_tokens=[{"id": 1}]), "tokenizer.json: an added token without id or content"),
        (replace("tokenizer_config.json", added_tokens_decoder={"5": {"content": "<|eot_id|>"}}),
         "tokenizer_config.json: <|eot_id|> has id 5, but 1016 in tokenizer.json"),
        (rename_mask, "tokenizer.json: added token <|mdm_mask|>: None (expected: 0..1016"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_said_at_load(broken_copy: Copy, damage: Any, message: str) -> None:
    with pytest.raises(LoadError, match=re.escape(message)):
        Denoiser(Checkpoint(broken_copy("tiny-a", damage)), settings("tiny-a"))


def test_the_vision_tower_may_lie_beside_the_checkpoint(broken_copy: Copy) -> None:
    prefix = "model.vision_tower.vision_tower."

    def split(directory: Path) -> None:
        whole = safetensors.read(directory / "model.safetensors")
        (directory / "model.safetensors").unlink()
        (directory / "tower").mkdir()
        write(directory / "model.safetensors", {n: t for n, t in whole.items() if not n.startswith(prefix)})
        write(
            directory / "tower" / "model.safetensors",
            {n.removeprefix(prefix): t for n, t in whole.items() if n.startswith(prefix)},
        )
        change_config(mm_vision_tower="tower")(directory)

    opened = Checkpoint(broken_copy("tiny-d", split))
    pixels = torch.linspace(-1, 1, 3 * 56 * 56).view(1, 3, 56, 56)
    whole = Siglip2(checkpoint("tiny-d"), settings("tiny-d")).encode(pixels)
    assert torch.equal(Siglip2(opened, settings("tiny-d")).encode(pixels), whole)


def write(path: Path, tensors: dict[str, safetensors.StoredTensor]) -> None:
    header, data = {}, b""
    for name, tensor in tensors.items():
        own = tensor.view().contiguous().view(torch.uint8).numpy().tobytes()
        header[name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(own)],
        }
        data += own
    path.write_bytes(stored(header, data))


def test_merge_types_without_unpad_have_no_newline(broken_copy: Copy) -> None:
    directory = broken_copy("tiny-a", change_config(mm_patch_merge_type="spatial"))
    assert Projector(Checkpoint(directory), settings("tiny-a")).image_newline.shape == (0,)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "LLADAV_CHECKPOINT: not set"),
        ({"LLADAV_CHECKPOINT": "/nowhere"}, "LLADAV_CHECKPOINT: /nowhere (expected: a directory)"),
        ({"LLADAV_PRECISION": "int8"}, "LLADAV_PRECISION: int8 (expected: fp32, bf16, fp16)"),
        ({"LLADAV_DEVICE": "cpu", "LLADAV_CUDA_GRAPHS": "1"}, "LLADAV_CUDA_GRAPHS: 1 (expected: 0, or 1 on a GPU; the"),
        ({"LLADAV_DEVICE": "tpu"}, "LLADAV_DEVICE: tpu (expected: auto, cpu, cuda)"),
    ],
)
def test_settings_are_checked(environment: dict[str, str], message: str) -> None:
    usable = {"LLADAV_CHECKPOINT": str(CONFORMANCE)} if environment and "LLADAV_CHECKPOINT" not in environment else {}
    with pytest.raises(LoadError, match=re.escape(message)):
        Settings.read(usable | environment)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_limits_are_checked(value: str) -> None:
    with pytest.raises(LoadError, match=re.escape(f"LLADAV_SESSIONS_MAX: {value} (expected: a whole number")):
        Limits.read(torch.device("cpu"), {"LLADAV_SESSIONS_MAX": value})


SESSION = "0123456789abcdef" * 2


def text(value: str) -> Any:
    return np.array([value.encode()], np.object_)


def request(op: str, **tensors: Any) -> dict[str, Any]:
    return {"OP": text(op), "SESSION": text(SESSION)} | tensors


def test_operations_are_read() -> None:
    assert operations.read({"OP": text("describe")}) == Describe()
    assert operations.read(request("close")) == Close(SESSION)
    layout = ints([5, 4, 1, 1, 2, 3])
    match operations.read(request("open", LAYOUT=layout, TURNS=ints(range(10)))):
        case Open(session, opened):
            assert session == SESSION and opened.guided and opened.cache is Cache.FEATURES
            assert (opened.prompt, opened.generated, opened.suffix, opened.transfer_count) == (5, 4, 1, 3)
            assert opened.turns is not None and opened.turns.tolist() == list(range(10))
        case other:
            pytest.fail(str(other))
    match operations.read(request("write", POSITION=ints([3]), IDS=ints([1, 2]))):
        case Write(_, 3, rows):
            assert rows.tolist() == [1, 2]
        case other:
            pytest.fail(str(other))
    match operations.read(request("bias", BIAS_IDS=ints([3]), BIAS_VALUES=np.array([1.5], np.float32))):
        case Bias(_, ids, values):
            assert ids.tolist() == [3] and values.tolist() == [1.5]
        case other:
            pytest.fail(str(other))


@pytest.mark.parametrize(
    ("forward", "expected"),
    [(None, Full()), ([0, 0, 0], Full()), ([1, 3, 9], Window(3, 9)), ([2, 1, 0], Features(True, False))],
)
def test_steps_are_read(forward: list[int] | None, expected: object) -> None:
    tensors = {
        "NUMBER": np.array([7]), "POSITIONS": ints([5]), "TEMPERATURE": np.array([0.5]), "UNIFORMS": np.array([0.25]),
        "GUIDANCE": np.array([1.5]), "CERTAINTY": ints([2]), "BATCH": text("x"), "BATCH_SIZE": ints([3]),
    }  # fmt: skip
    match operations.read(request("step", **tensors, **({} if forward is None else {"FORWARD": ints(forward)}))):
        case RunStep(_, 7, step, "x", 3):
            assert step.forward == expected and step.certainty is Certainty.MARGIN
            assert (step.temperature, step.guidance, step.uniforms.tolist()) == (0.5, 1.5, [0.25])
            assert step.write_positions.tolist() == []
        case other:
            pytest.fail(str(other))


def test_what_is_read_is_a_copy() -> None:
    ids = ints([1, 2])
    operation = operations.read(request("write", POSITION=ints([3]), IDS=ids))
    ids[:] = 9
    assert isinstance(operation, Write) and operation.rows.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "OP: missing"),
        (request("nonsense"), "OP: nonsense (expected: describe, open, write, bias, step, close)"),
        ({"OP": text("close")}, "SESSION: missing"),
        ({"OP": text("close"), "SESSION": text("abc")}, "SESSION: 3 characters (expected: 128 random bits as 32"),
        ({"OP": text("close"), "SESSION": text("G" * 32)}, "SESSION: 32 characters (expected: 128 random bits as 32"),
        (request("open"), "LAYOUT: missing"),
        (request("open", LAYOUT=ints([5, 4, 0, 0, 0])), "LAYOUT: int32 of shape [5] (expected: int32 of 1 dim"),
        (request("open", LAYOUT=ints([5, 4, 0, 2, 0, 0])), "LAYOUT: guided: 2 (expected: 0 or 1)"),
        (request("open", LAYOUT=ints([5, 4, 0, 0, 3, 0])), "LAYOUT: cacheKind: 3 (expected: 0 none, 1 keys and"),
        (request("open", LAYOUT=ints([5, 4, 0, 0, 1, 1])), "LAYOUT: transferCount: 1 (expected: 0, only cacheKind 2"),
        (request("open", LAYOUT=ints([5, 4, 0, 0, 2, 5])), "LAYOUT: transferCount: 5 (expected: 0..4, the positions"),
        (request("open", LAYOUT=ints([0, 4, 0, 0, 0, 0])), "LAYOUT: promptLength: 0 (expected: 1..262144)"),
        (request("open", LAYOUT=ints([262144, 4, 0, 0, 0, 0])), "LAYOUT: canvas length: 262148 (expected: 2..262144)"),
        (request("open", LAYOUT=ints([5, 4, 0, 0, 0, 0]), TURNS=ints([0])), "TURNS: 1 numbers (expected: 9, one per"),
        (request("write", POSITION=ints([0])), "IDS, EMBEDDINGS: neither (expected: one of them)"),
        (request("write", IDS=ints([0])), "POSITION: missing"),
        (request("step", POSITIONS=ints([5])), "NUMBER: missing"),
        (request("step", NUMBER=np.array([1])), "POSITIONS: missing"),
        (
            request("step", NUMBER=np.array([1]), POSITIONS=ints([5]), FORWARD=ints([2, 5, 6])),
            "FORWARD: [2, 5, 6] (expected: 0 _ _, 1 start end, 2 prompt(0|1) generated(0|1))",
        ),
        (
            request("step", NUMBER=np.array([1]), POSITIONS=ints([5]), CERTAINTY=ints([3])),
            "CERTAINTY: 3 (expected: 0..2)",
        ),
        (
            request("step", NUMBER=np.array([1]), POSITIONS=ints([5]), BATCH_SIZE=ints([0])),
            "BATCH_SIZE: 0 (expected: 1..1024)",
        ),
    ],
)
def test_operations_that_say_nothing_are_refused(tensors: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=re.escape(f"INVALID: {message}")):
        operations.read(tensors)
