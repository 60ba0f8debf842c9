"""A global descriptor made of local features: the adapter from `vlad` and `temb` to the `Descriptor` seam."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.long_side import LongSideInput
from extractor_service.descriptors.normalisation import l2_normalised
from extractor_service.local_features import LocalFeatures, RootSift

_SEED = 20140623


class LocalDescriptor:
    """A `Descriptor` without a network: extract, then encode."""

    def __init__(
        self,
        name: str,
        dim: int,
        extractor: RootSift,
        encode: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> None:
        """encode: RootSIFT vectors of one picture, shape=(N, 128), to shape=(dim,), L2-normalised or zero."""
        self._name = name
        self._dim = dim
        self._extractor = extractor
        self._encode = encode
        self._nothing = l2_normalised(np.random.default_rng(_SEED).standard_normal(dim, np.float32))

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def input_plan(self) -> LongSideInput:
        """Bounds the picture as the extractor would, so that less travels from the decoding process."""
        return LongSideInput(self._extractor.long_side_px, enlarge=False)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Shape=(B, D), rows L2-normalised; see `Descriptor`.

        A picture without features gets a fixed direction drawn at random: far from all others, alike among
        themselves. The zero vector would be nearer to everything than most pictures are to each other.
        """
        return self.describe_features([self._extractor.extract(picture) for picture in inputs])

    def describe_features(self, pictures: Sequence[LocalFeatures]) -> NDArray[np.float32]:
        """The same from features that are already there: a store's, at publication."""
        rows = np.empty((len(pictures), self._dim), np.float32)
        for row, features in zip(rows, pictures, strict=True):
            encoded = self._encode(features.root_sift)
            row[:] = encoded if encoded.any() else self._nothing
        return rows
