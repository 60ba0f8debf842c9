"""From pictures to what localisation compares: the map of an indexed picture, the MAC vector of a query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from extractor_service.backbones.base import Backbone
from extractor_service.conv_maps.storage import to_bytes
from extractor_service.descriptors.long_side import LongSideInput
from extractor_service.descriptors.pooling import mac

INDEXED_LONG_SIDE_PX = 320
"""20 × 15 cells for a picture of 4:3. With half as many pixels the rectangles get worse, with twice as many
not better: see docs/quality.md."""

QUERY_LONG_SIDE_PX = 192
"""Less than an indexed picture's, because what is looked for is mostly a part of it."""

_MAX_BATCH = 8
"""Bounds the memory for the first layers of a large network: VGG16's take 40 MB a picture."""


class MapDescriber:
    """Pictures of equal shape go through the network together. As thread-safe as its network."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.input_plan = LongSideInput(INDEXED_LONG_SIDE_PX)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[bytes]:
        """inputs: as `input_plan` prepares them. Returns blobs of `storage.to_bytes`, in order."""
        blobs = [b""] * len(inputs)
        for places in _of_equal_shape(inputs):
            for start in range(0, len(places), _MAX_BATCH):
                batch = places[start : start + _MAX_BATCH]
                maps = self._backbone.conv_map(np.stack([inputs[place] for place in batch]))
                for place, conv_map in zip(batch, maps, strict=True):
                    blobs[place] = to_bytes(conv_map)
        return blobs


class MacDescriber:
    """As thread-safe as its network."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.input_plan = LongSideInput(QUERY_LONG_SIDE_PX)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """inputs: at least one, as `input_plan` prepares them. Returns shape=(B, C), >= 0, not normalised."""
        maps = (self._backbone.conv_map(picture[np.newaxis])[0] for picture in inputs)
        return np.concatenate([mac(conv_map) for conv_map in maps])


def _of_equal_shape(inputs: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
    places: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, picture in enumerate(inputs):
        places[picture.shape].append(place)
    return list(places.values())
