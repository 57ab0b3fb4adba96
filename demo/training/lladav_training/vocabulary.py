"""The demonstration model's own tokenizer: a byte-level BPE with the published names of the special tokens."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = (
    "<|startoftext|>", "<|endoftext|>", "<|mdm_mask|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
)  # fmt: skip
DEFAULT_SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language."
)
CHAT_TEMPLATE = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}"
)
_SPLIT = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
LIMIT = 896


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Trains on texts until every word in them is one token or the limit is reached."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=LIMIT,
        special_tokens=[AddedToken(name, special=True, normalized=False) for name in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class Vocabulary:
    """Text to ids as the serving cluster does it: special ids are looked up by name, user text never becomes one."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.size = tokenizer.get_vocab_size()
        self.start, self.end, self.mask, self.header_start, self.header_end, self.end_of_turn = (
            self._special(name) for name in SPECIAL
        )
        self.encode = lru_cache(maxsize=1 << 16)(self._encode)

    @staticmethod
    def load(directory: Path) -> Vocabulary:
        """Reads `directory/tokenizer.json`."""
        return Vocabulary(Tokenizer.from_file(str(directory / "tokenizer.json")))

    def save(self, directory: Path) -> None:
        """Writes `directory/tokenizer.json`."""
        self._tokenizer.save(str(directory / "tokenizer.json"))

    def header(self, role: str) -> list[int]:
        """The ids that open a message: start, role, end, blank line."""
        return [self.header_start, *self.encode(role), self.header_end, *self.encode("\n\n")]

    def decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def words(self) -> dict[str, list[int]]:
        """Ids by bare word: `red` and ` red` are two ids of one word."""
        found: dict[str, list[int]] = {}
        for text, number in self._tokenizer.get_vocab().items():
            bare = text.removeprefix("Ġ").lower()
            if number >= len(SPECIAL):
                found.setdefault(bare, []).append(number)
        return {word: sorted(numbers) for word, numbers in found.items()}

    def _special(self, name: str) -> int:
        number = self._tokenizer.token_to_id(name)
        if number is None:
            raise ValueError(f"tokenizer.json: the special token {name} is missing")
        return int(number)

    def _encode(self, text: str) -> tuple[int, ...]:
        if any(name in text for name in SPECIAL):
            raise ValueError(f"text must not hold special tokens: {text[:80]!r}")
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
