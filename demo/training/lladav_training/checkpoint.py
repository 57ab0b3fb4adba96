"""The published directory layout: config.json, safetensors, tokenizer.json, tokenizer_config.json."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .model import LanguageSize, LladaV, ModelSize, VisionSize
from .vocabulary import CHAT_TEMPLATE, SPECIAL, Vocabulary

_VISION = "model.vision_tower.vision_tower.vision_model."
POSITIONS = 2048
"""Longest prompt and reply together; the training dialogues are shorter."""
_LAYER_PARTS = {
    "vision": {
        "layer_norm1": "layer_norm1", "layer_norm2": "layer_norm2", "fc1": "mlp.fc1", "fc2": "mlp.fc2",
        "q_proj": "self_attn.q_proj", "k_proj": "self_attn.k_proj", "v_proj": "self_attn.v_proj",
        "out_proj": "self_attn.out_proj",
    },
    "language": {
        "input_layernorm": "input_layernorm", "post_attention_layernorm": "post_attention_layernorm",
        "q_proj": "self_attn.q_proj", "k_proj": "self_attn.k_proj", "v_proj": "self_attn.v_proj",
        "o_proj": "self_attn.o_proj", "gate_proj": "mlp.gate_proj", "up_proj": "mlp.up_proj",
        "down_proj": "mlp.down_proj",
    },
}  # fmt: skip


def save_checkpoint(model: LladaV, vocabulary: Vocabulary, directory: Path) -> None:
    """Writes the model in bfloat16 as a directory that the serving cluster loads; replaces an older one's files.
    ValueError when something else stands there."""
    check_target(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {
        published: tensor.detach().to("cpu", torch.bfloat16).contiguous()
        for published, tensor in _published(model).items()
    }
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)
    (directory / "config.json").write_text(json.dumps(_config(model.size, vocabulary), indent=1) + "\n")
    vocabulary.save(directory)
    (directory / "tokenizer_config.json").write_text(json.dumps(_tokenizer_config(), indent=1) + "\n")


def check_target(directory: Path) -> None:
    """ValueError unless a checkpoint may be written to `directory`: it is absent, empty, or holds an older one."""
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory}: a file stands where the checkpoint's directory would be written")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / "config.json").is_file():
        raise ValueError(f"{directory}: the folder holds other files and no checkpoint; name a new one")


def load_checkpoint(directory: Path) -> tuple[LladaV, Vocabulary]:
    """Reads a directory that `save_checkpoint` wrote; weights become float32. FileNotFoundError, ValueError."""
    config = json.loads((directory / "config.json").read_text())
    vocabulary = Vocabulary.load(directory)
    seen = config["vision_config"]
    model = LladaV(
        ModelSize(
            VisionSize(
                seen["hidden_size"], seen["num_hidden_layers"] - 1, seen["num_attention_heads"],
                seen["intermediate_size"], seen["image_size"], seen["patch_size"],
            ),
            LanguageSize(
                config["vocab_size"], config["hidden_size"], config["num_hidden_layers"],
                config["num_attention_heads"], config["num_key_value_heads"], config["intermediate_size"],
                config["rope_theta"], config["rms_norm_eps"], config["tie_word_embeddings"],
            ),
        )
    )  # fmt: skip
    if config["vocab_size"] != vocabulary.size:
        raise ValueError(f"config.json: vocab_size is {config['vocab_size']}, the tokenizer's is {vocabulary.size}")
    stored = load_file(directory / "model.safetensors")
    with torch.no_grad():
        for name, parameter in _published(model).items():
            if name not in stored:
                raise ValueError(f"model.safetensors: the tensor {name} is missing")
            if stored[name].shape != parameter.shape:
                raise ValueError(
                    f"model.safetensors: {name} is {tuple(stored[name].shape)}, not {tuple(parameter.shape)}"
                )
            parameter.copy_(stored[name].float())
    return model, vocabulary


def _published(model: LladaV) -> dict[str, Tensor]:
    """The model's tensors, as views, under their published names and shapes."""
    vision, language, projector = model.vision, model.language, model.projector
    size = vision.size
    embeddings = f"{_VISION}embeddings."
    patch = vision.patch_embedding
    found: dict[str, Tensor] = {
        f"{embeddings}patch_embedding.weight": patch.weight.data.view(size.width, 3, size.patch, size.patch),
        f"{embeddings}patch_embedding.bias": patch.bias.data,
        f"{embeddings}position_embedding.weight": vision.position_embedding.data,
        # Never applied; the layout has it.
        f"{_VISION}post_layernorm.weight": torch.ones(size.width),
        f"{_VISION}post_layernorm.bias": torch.zeros(size.width),
        "model.mm_projector.0.weight": projector.first.weight.data,
        "model.mm_projector.0.bias": projector.first.bias.data,
        "model.mm_projector.2.weight": projector.second.weight.data,
        "model.mm_projector.2.bias": projector.second.bias.data,
        "model.image_newline": model.image_newline.data,
        "model.embed_tokens.weight": language.embed_tokens.weight.data,
        "model.norm.weight": language.norm.weight.data,
    }
    if language.lm_head is not None:
        found["lm_head.weight"] = language.lm_head.weight.data
    for tower, prefix, layers in (
        ("vision", f"{_VISION}encoder.layers.", vision.layers),
        ("language", "model.layers.", language.layers),
    ):
        for i, layer in enumerate(layers):
            for part, published in _LAYER_PARTS[tower].items():
                for name, weight in getattr(layer, part).named_parameters():
                    found[f"{prefix}{i}.{published}.{name}"] = weight.data
    return found


def _config(size: ModelSize, vocabulary: Vocabulary) -> dict[str, object]:
    vision, language = size.vision, size.language
    return {
        "architectures": ["LlavaLLaDAModelLM"],
        "model_type": "llava_llada",
        "attention_bias": False,
        "bos_token_id": vocabulary.start,
        "eos_token_id": vocabulary.end,
        "hidden_act": "silu",
        "hidden_size": language.width,
        "intermediate_size": language.mlp,
        "max_position_embeddings": POSITIONS,
        "num_attention_heads": language.heads,
        "num_hidden_layers": language.layers,
        "num_key_value_heads": language.key_value_heads,
        "rms_norm_eps": language.rms_eps,
        "rope_scaling": None,
        "rope_theta": language.rope_theta,
        "tie_word_embeddings": language.tied,
        "torch_dtype": "bfloat16",
        "vocab_size": language.vocabulary,
        "image_aspect_ratio": "anyres_max_4",
        "image_grid_pinpoints": "(1x1),...,(2x2)",
        "mm_hidden_size": vision.width,
        "mm_newline_position": "grid",
        "mm_patch_merge_type": "spatial_unpad",
        "mm_projector_type": "mlp2x_gelu",
        "mm_spatial_pool_mode": "bilinear",
        "mm_spatial_pool_stride": 2,
        "mm_use_im_patch_token": False,
        "mm_use_im_start_end": False,
        "mm_vision_select_feature": "patch",
        "mm_vision_select_layer": -2,
        "mm_vision_tower": "google/siglip2-so400m-patch14-384",
        "tokenizer_model_max_length": POSITIONS,
        "use_mm_proj": True,
        "vision_config": {
            "hidden_size": vision.width,
            "intermediate_size": vision.mlp,
            # One more than is stored and run: the published layout counts the layer that was cut off.
            "num_hidden_layers": vision.layers + 1,
            "num_attention_heads": vision.heads,
            "num_channels": 3,
            "image_size": vision.image,
            "patch_size": vision.patch,
            "hidden_act": "gelu_pytorch_tanh",
            "layer_norm_eps": 1e-6,
        },
    }


def _tokenizer_config() -> dict[str, object]:
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {
        "add_bos_token": False,
        "add_eos_token": False,
        "added_tokens_decoder": {str(i): {"content": name, **flags} for i, name in enumerate(SPECIAL)},
        "additional_special_tokens": ["<|mdm_mask|>"],
        "bos_token": "<|startoftext|>",
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
