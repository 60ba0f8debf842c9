"""What the networks make of decoded pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.pictures.prepare import IndexedPicture
from indexer.networks import Describer


@dataclass(frozen=True, slots=True)
class Described:
    """Of one picture."""

    vectors: NDArray[np.float16]
    """shape=(R, C); empty where the local features are all there is."""
    conv_map: bytes | None
    """None where the store keeps none."""


def describe(describer: Describer, pictures: Sequence[IndexedPicture]) -> list[Described]:
    """Together, which is quicker than one by one."""
    vectors = _vectors(describer, pictures)
    maps = _conv_maps(describer, pictures)
    return [Described(*each) for each in zip(vectors, maps, strict=True)]


def _vectors(describer: Describer, pictures: Sequence[IndexedPicture]) -> list[NDArray[np.float16]]:
    if describer.descriptor is None:
        return [np.empty((0, 0), np.float16)] * len(pictures)
    described = describer.descriptor.describe([picture.network_input for picture in pictures])
    return [vectors.astype(np.float16) for vectors in described]


def _conv_maps(describer: Describer, pictures: Sequence[IndexedPicture]) -> Sequence[bytes | None]:
    if describer.maps is None:
        return [None] * len(pictures)
    return describer.maps.describe(
        [picture.map_input for picture in pictures if picture.map_input is not None]
    )
