"""From pictures to what localisation compares: the map of an indexed picture, the MAC vector of a query."""

from __future__ import annotations

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


class MapDescriber:
    """One picture after the other: in batches it measured no faster. As thread-safe as its network."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.input_plan = LongSideInput(INDEXED_LONG_SIDE_PX)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[bytes]:
        """inputs: as `input_plan` prepares them. Returns blobs of `storage.to_bytes`, in order."""
        return [to_bytes(self._backbone.conv_map(picture[np.newaxis])[0]) for picture in inputs]


class MacDescriber:
    """As thread-safe as its network."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.input_plan = LongSideInput(QUERY_LONG_SIDE_PX)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """inputs: at least one, as `input_plan` prepares them. Returns shape=(B, C), >= 0, not normalised."""
        maps = (self._backbone.conv_map(picture[np.newaxis])[0] for picture in inputs)
        return np.concatenate([mac(conv_map) for conv_map in maps])
