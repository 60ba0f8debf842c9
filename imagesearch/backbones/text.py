"""Words through a network's text tower: tokens of the tokenizer that came with it, and one vector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from imagesearch.backbones.base import TextTower
from imagesearch.errors import ModelDamaged

if TYPE_CHECKING:
    import openvino as ov


def read_tokenizer(path: Path) -> Tokenizer:
    """From a tokenizer.json. Raises ModelDamaged."""
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises nothing more specific
        raise ModelDamaged(f"{path.name} is no tokenizer that can be read; export it again.") from error


class TextEncoder:
    """One sentence after the other, padded or cut to the length that the graph takes."""

    def __init__(self, request: ov.InferRequest, tokenizer_file: Path, tower: TextTower) -> None:
        """Raises ModelDamaged where the tokenizer cannot be read."""
        self._request = request
        self._tokenizer = read_tokenizer(tokenizer_file)
        self._tokenizer.enable_truncation(tower.max_tokens)
        self._tokenizer.enable_padding(length=tower.max_tokens, pad_id=tower.pad_id)

    def embed(self, text: str) -> NDArray[np.float32]:
        """See `Backbone.embed_text`."""
        encoding = self._tokenizer.encode(text)
        given = [encoding.ids, encoding.attention_mask][: len(self._request.model_inputs)]
        answers = self._request.infer([np.array([tokens], np.int64) for tokens in given])
        return np.array(answers[0][0], dtype=np.float32)
