"""Pooled convolutional descriptors: spoc, mac, rmac and gem, at one scale or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Backbone
from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.descriptors.pooling import gem, mac, rmac, spoc
from imagesearch.pictures.plans import MIN_SIDE_PX, LongSideInput

POOLINGS: Mapping[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "spoc": spoc,
    "mac": mac,
    "rmac": rmac,
    "gem": gem,
}

SINGLE_SCALE = (1.0,)
THREE_SCALES = (1.0, 2**-0.5, 0.5)
"""As Radenović et al. 2018, section 5.2."""


class Pooled:
    """A `Descriptor`: one vector a scale; for rmac one a region and scale (Tolias et al. 2016, section
    3.2)."""

    def __init__(
        self, name: str, backbone: Backbone, long_side_px: int, scales: Sequence[float] = SINGLE_SCALE
    ) -> None:
        """name: one of POOLINGS. scales: factors of the long side, at most 1."""
        self._name = name
        self._pool = POOLINGS[name]
        self._backbone = backbone
        self._input_plan = LongSideInput(long_side_px)
        self._scales = tuple(scales)
        smallest = np.zeros((1, MIN_SIDE_PX, MIN_SIDE_PX, 3), np.uint8)
        self._channels = int(backbone.conv_map(smallest).shape[-1])

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return self._channels

    @property
    def input_plan(self) -> LongSideInput:
        return self._input_plan

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Shape=(R, C) of each, rows L2-normalised; see `Descriptor`."""
        return [self._vectors(picture) for picture in inputs]

    def _vectors(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        maps = (self._backbone.conv_map(_scaled(picture, scale)[None])[0] for scale in self._scales)
        return l2_normalised(np.concatenate([self._pool(conv_map) for conv_map in maps]))


def _scaled(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return picture
    height, width, _ = picture.shape
    size = (max(MIN_SIDE_PX, round(width * scale)), max(MIN_SIDE_PX, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
