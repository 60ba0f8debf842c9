"""The seed's descriptor: the first fully connected layer (neural codes, Babenko et al. 2014, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Backbone
from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.pictures.plans import SquareInput


class Fc6:
    """fc6 after its ReLU, L2-normalised. A `Descriptor`."""

    name = "fc6"

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._input_plan = SquareInput(backbone.input_size_px)

    @property
    def dim(self) -> int:
        return self._backbone.fc6_dim

    @property
    def input_plan(self) -> SquareInput:
        return self._input_plan

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Shape=(1, D) of each, L2-normalised; see `Descriptor`."""
        if not inputs:
            return []
        codes = l2_normalised(self._backbone.fc6(np.stack(inputs)))
        return list(codes[:, np.newaxis])
