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
"""20 × 15 cells for a picture of 4:3; see docs/quality.md."""

QUERY_LONG_SIDE_PX = 128
"""Less than an indexed picture's, because what is looked for is mostly a part of it; see docs/quality.md."""

_CELL_PX = 16
_MARGIN_CELLS = 2


class MapDescriber:
    """One picture after the other: in batches it measured no faster. As thread-safe as its network."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.input_plan = LongSideInput(INDEXED_LONG_SIDE_PX)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[bytes]:
        """inputs: as `input_plan` prepares them. Returns blobs of `storage.to_bytes`, in order."""
        return [to_bytes(self._backbone.conv_map(picture[np.newaxis])[0]) for picture in inputs]


class MacDescriber:
    """The query is continued by its mirror image, and the map cut back to the query itself.

    Else the network, which takes the surroundings of a picture for black, would find borders in it that the
    same object inside another picture does not have. As thread-safe as its network.
    """

    def __init__(self, backbone: Backbone, long_side_px: int = QUERY_LONG_SIDE_PX) -> None:
        self._backbone = backbone
        self.input_plan = LongSideInput(long_side_px)

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """inputs: at least one, as `input_plan` prepares them. Returns shape=(B, C), >= 0, not normalised."""
        return np.concatenate([mac(self._inner_map(picture)) for picture in inputs])

    def _inner_map(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        margin_px = _MARGIN_CELLS * _CELL_PX
        sides = (margin_px, margin_px)
        continued = np.pad(picture, (sides, sides, (0, 0)), mode="reflect")
        conv_map = self._backbone.conv_map(continued[np.newaxis])[0]
        return np.asarray(conv_map[_MARGIN_CELLS:-_MARGIN_CELLS, _MARGIN_CELLS:-_MARGIN_CELLS])
