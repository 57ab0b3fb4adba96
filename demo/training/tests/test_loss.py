"""Eq. (1) against the losses that the public training code gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lladav_training.loss import mask_probability, masked_diffusion_loss, masked_positions
from lladav_training.model import LanguageSize, LanguageTower

_GOLDEN = Path(__file__).parents[3] / "conformance"
_CASES = [(name, number) for name in ("tiny-a", "tiny-b") for number in ("1", "2", "5", "8")]


@pytest.mark.parametrize(("checkpoint", "number"), _CASES)
def test_loss_equals_the_public_codes(checkpoint: str, number: str) -> None:
    described = json.loads((_GOLDEN / "tensors" / f"training-{checkpoint}.json").read_text())
    tensors = load_file(_GOLDEN / "tensors" / f"training-{checkpoint}.safetensors")
    expected = described["losses"].get(number)
    if expected is None:
        pytest.skip(f"{checkpoint} has no draw {number}")
    tower, mask, rows = _tower(checkpoint)
    ids, labels = tensors["input_ids"][None], tensors["labels"][None]
    p = mask_probability(tensors[f"loss_{number}_t"])[:, None]
    masked = masked_positions(tensors[f"loss_{number}_uniform"][None], p, labels != -100)
    assert int(masked.sum()) == expected["masked"]
    hidden = None
    if expected["dialogue_causal"]:
        turns = tensors["conversation_ids"]
        hidden = turns[None, :] > turns[:, None]
    with torch.no_grad():
        logits = tower(tower.embed_tokens(ids.masked_fill(masked, mask)), hidden)[0][..., :rows]
        loss = masked_diffusion_loss(logits, ids, masked, p, (labels != -100).float())
    assert float(p[0, 0]) == pytest.approx(expected["p_mask"], rel=1e-6)
    assert float(loss) == pytest.approx(expected["loss"], rel=2e-5)


@pytest.mark.parametrize("checkpoint", ["tiny-a", "tiny-b"])
def test_logits_equal_the_public_codes(checkpoint: str) -> None:
    tensors = load_file(_GOLDEN / "tensors" / f"training-{checkpoint}.safetensors")
    tower, _, _ = _tower(checkpoint)
    with torch.no_grad():
        logits = tower(tower.embed_tokens(tensors["input_ids"][None]))[0][0, :, :128]
    torch.testing.assert_close(logits, tensors["logits_full_attention"], rtol=1e-4, atol=1e-4)


def test_positions_are_masked_with_the_probability_of_their_dialogue() -> None:
    uniforms = torch.tensor([[0.1, 0.6, 0.1, 0.9]])
    labelled = torch.tensor([[True, True, False, True]])
    masked = masked_positions(uniforms, torch.tensor([[0.5]]), labelled)
    assert masked.tolist() == [[True, False, False, False]]


def test_loss_divides_by_the_labelled_positions() -> None:
    logits = torch.zeros(1, 4, 8)
    masked = torch.tensor([[True, False, False, False]])
    loss = masked_diffusion_loss(
        logits, torch.zeros(1, 4, dtype=torch.long), masked, torch.tensor([[0.5]]), torch.ones(1, 4)
    )
    assert float(loss) == pytest.approx(float(torch.log(torch.tensor(8.0))) / 0.5 / 4)


def _tower(checkpoint: str) -> tuple[LanguageTower, int, int]:
    """The language tower of a golden checkpoint, its mask id, and how many rows its tokenizer has."""
    folder = _GOLDEN / "checkpoints" / checkpoint
    config = json.loads((folder / "config.json").read_text())
    stored: dict[str, Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        stored.update(load_file(shard))
    names = json.loads((folder / "tokenizer_config.json").read_text())["added_tokens_decoder"]
    tower = LanguageTower(
        LanguageSize(
            config["vocab_size"], config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"],
            config["num_key_value_heads"], config["intermediate_size"], config["rope_theta"], config["rms_norm_eps"],
            tied=False,
        )
    )  # fmt: skip
    state = {}
    for name in tower.state_dict():
        published = name if name == "lm_head.weight" else f"model.{name}"
        for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
            published = published.replace(f".{part}", f".self_attn.{part}")
        for part in ("gate_proj", "up_proj", "down_proj"):
            published = published.replace(f".{part}", f".mlp.{part}")
        state[name] = stored[published].float()
    tower.load_state_dict(state)
    mask = next(int(number) for number, entry in names.items() if entry["content"] == "<|mdm_mask|>")
    return tower, mask, 1 + max(map(int, names))
