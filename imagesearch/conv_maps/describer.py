"""From pictures to what localisation compares: the map of an indexed picture, the MAC vectors of a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Backbone
from imagesearch.conv_maps.storage import to_bytes
from imagesearch.descriptors.pooling import mac
from imagesearch.pictures.plans import LongSideInput

INDEXED_LONG_SIDE_PX = 320
"""20 × 15 cells for a picture of 4:3; see docs/quality.md."""

PART_LONG_SIDE_PX = 128
"""Of a query that is a part of an indexed picture, and so smaller in it; see docs/quality.md."""

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
    """Two MAC vectors of a query, of which the better one counts: it may show all that an indexed picture
    shows, or be a part of one. As thread-safe as its network."""

    def __init__(self, backbone: Backbone, part_long_side_px: int = PART_LONG_SIDE_PX) -> None:
        self._backbone = backbone
        self._part_plan = LongSideInput(part_long_side_px)
        self.input_plan = LongSideInput(INDEXED_LONG_SIDE_PX)
        assert backbone.card.conv_map is not None  # a store keeps the maps of none that has none
        self._margin_px = _MARGIN_CELLS * backbone.card.conv_map.stride_px

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """inputs: as `input_plan` prepares them. Returns shape=(2, C) of each, >= 0, not normalised."""
        return [np.concatenate((self._as_whole(each), self._as_part(each))) for each in inputs]

    def _as_whole(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        return mac(self._backbone.conv_map(picture[np.newaxis])[0])

    def _as_part(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Continued by its mirror image, and the map cut back to the picture itself: else the network, which
        takes the surroundings of a picture for black, would find borders in it that the same object inside
        another picture does not have."""
        sides = (self._margin_px, self._margin_px)
        continued = np.pad(self._part_plan.prepare(picture), (sides, sides, (0, 0)), mode="reflect")
        conv_map = self._backbone.conv_map(continued[np.newaxis])[0]
        return mac(conv_map[_MARGIN_CELLS:-_MARGIN_CELLS, _MARGIN_CELLS:-_MARGIN_CELLS])
