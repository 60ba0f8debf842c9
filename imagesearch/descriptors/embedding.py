"""What a network itself makes of a whole picture.

Of a network that ends in fully connected layers the seed's descriptor: fc6, the first of them after its ReLU
(neural codes, Babenko et al. 2014, section 3). Of other networks their embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Backbone
from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.pictures.plans import InputPlan, plan_for

KNOWN_WORDS = tuple(
    f"a photo of {what}"
    for what in (
        "a dog", "a cat", "a horse", "birds in the sky", "a flower", "a tree", "a forest", "mountains",
        "the sea", "a beach at sunset", "a river", "snow", "a desert", "a garden", "a city street",
        "a tall building", "a bridge", "a church", "a castle", "a house", "a kitchen", "a bedroom",
        "an office", "a shop", "a market", "a train", "a car", "a bicycle", "an aeroplane", "a ship",
        "a road", "a map", "a page of text", "a painting", "a statue", "a toy", "a computer", "a book",
        "a clock", "a lamp", "a chair", "a table", "a bag", "shoes", "a dress", "a hat", "a face", "a child",
        "a group of people", "a crowd", "a wedding", "a concert", "a football match", "someone who runs",
        "someone who cooks", "food on a plate", "fruit", "vegetables", "bread", "a cake", "a cup of coffee",
        "a bottle", "the night sky", "fireworks",
    )
)  # fmt: skip
"""Of many things, for what words are compared with: a text is near an image if few of these lie as near."""


class Embedding:
    """A `Descriptor`: the output that the network's card names for it, L2-normalised."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._input_plan = plan_for(backbone.card.input)

    @property
    def name(self) -> str:
        return self._backbone.card.descriptor

    @property
    def dim(self) -> int:
        return self._backbone.dim

    @property
    def input_plan(self) -> InputPlan:
        return self._input_plan

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Shape=(1, D) of each, L2-normalised; see `Descriptor`."""
        if not inputs:
            return []
        embeddings = l2_normalised(self._backbone.embed(np.stack(inputs)))
        return list(embeddings[:, np.newaxis])


class WordDescriber:
    """Words in the space of a network's embeddings, L2-normalised. Thread-safe."""

    def __init__(self, backbone: Backbone) -> None:
        """backbone: one with a text tower."""
        self._backbone = backbone

    def describe(self, text: str) -> NDArray[np.float32]:
        """shape=(D,); zero where the network knows none of the words."""
        vector: NDArray[np.float32] = l2_normalised(self._backbone.embed_text(text)[np.newaxis])[0]
        return vector

    @cached_property
    def known(self) -> NDArray[np.float32]:
        """Of KNOWN_WORDS, shape=(N, D). Takes a second or two the first time."""
        return np.array([self.describe(text) for text in KNOWN_WORDS], np.float32)
