"""What a network itself makes of a whole picture.

Of VGG16 the seed's descriptor: fc6, the first fully connected layer after its ReLU (neural codes, Babenko et
al. 2014, section 3). Of other networks their embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Backbone
from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.pictures.plans import InputPlan, plan_for


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
