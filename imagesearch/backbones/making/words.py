"""How a model's tokenizer turns words into what its text tower takes: how it pads, cuts and lowers them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, normalizers

from imagesearch.backbones.converted import TOKENIZER_NAME
from imagesearch.backbones.making.json_object import read_json
from imagesearch.backbones.text import read_tokenizer

CONFIG_NAME = "tokenizer_config.json"
MAX_TOKENS = 4096
LOWER_CASE_PROCESSORS = ("SiglipProcessor",)
"""Of models that were trained with words in lower case. The tokenizer of SigLIP 2 leaves this to its users,
see https://github.com/huggingface/transformers/pull/43101; those of others do it themselves."""


@dataclass(frozen=True, slots=True)
class WordInput:
    """What the tokenizer's files say; the graph may know better."""

    vocabulary: int
    """Tokens there are."""
    max_tokens: int | None
    pad_id: int | None
    """None where no file names a token that pads."""
    lower_case: bool
    """The model takes words in lower case."""


def read_word_input(folder: Path, processor: object) -> WordInput:
    """processor: the name of the class that prepares the model's input, as its files tell.

    Raises ModelDamaged for files that are no tokenizer's.
    """
    tokenizer = read_tokenizer(folder / TOKENIZER_NAME)
    config = read_json(folder / CONFIG_NAME) if (folder / CONFIG_NAME).is_file() else {}
    max_tokens = (tokenizer.truncation or {}).get("max_length") or config.get("model_max_length")
    if not isinstance(max_tokens, int) or not 1 <= max_tokens <= MAX_TOKENS:
        max_tokens = None  # some files hold 10^30 for “no limit”
    pad_id = _pad_id(tokenizer, config)
    return WordInput(tokenizer.get_vocab_size(), max_tokens, pad_id, processor in LOWER_CASE_PROCESSORS)


def write_tokenizer(source: Path, target: Path, words: WordInput) -> None:
    """Writes the tokenizer as it is served, from one tokenizer.json to another."""
    if not words.lower_case:
        shutil.copyfile(source, target)
        return
    tokenizer = read_tokenizer(source)
    own = [tokenizer.normalizer] if tokenizer.normalizer else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *own])
    tokenizer.save(str(target))


def _pad_id(tokenizer: Tokenizer, config: dict[str, object]) -> int | None:
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    token = config.get("pad_token")
    if isinstance(token, dict):  # a token with its options
        token = token.get("content")
    return tokenizer.token_to_id(token) if isinstance(token, str) else None
