"""The local features of one picture, and how those of a query travel: 136 bytes a feature."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POSITION_STEPS_PER_PX = 16
"""Positions are kept to 1/16 pixel: detectors locate a feature to a tenth of a pixel at best."""

ORIENTATION_STEPS = 65_536
"""A full turn in the steps of an uint16."""

DIM = 128

DESCRIPTOR_SCALE = 512.0
"""A RootSIFT value v in [0, 1] becomes min(255, round(512 v)). Values above 0.5 mean that a quarter of all
gradients fell into one of 128 bins; they are rare and clipped."""
_RECORD = np.dtype(
    [
        ("position", "<u2", (2,)),
        ("scale", "<f2"),
        ("orientation", "<u2"),
        ("descriptor", "u1", (DIM,)),
    ]
)
_SIZE = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """N features of one picture in descending order of the detector's response."""

    width_px: int
    height_px: int
    """Size of the picture the features were found in, after bounding; positions are in its pixels."""
    positions: NDArray[np.uint16]
    """shape=(N, 2): x and y of the centres in 1/16 pixel."""
    scales: NDArray[np.float16]
    """shape=(N,): diameter of the meaningful neighbourhood in pixels."""
    orientations: NDArray[np.uint16]
    """shape=(N,): clockwise from the x axis, in 1/65536 of a turn; all 0 for upright features."""
    root_sift: NDArray[np.float32]
    """shape=(N, 128), rows L2-normalised but for rounding (within 1%); an all-zero row stays zero."""

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def positions_px(self) -> NDArray[np.float32]:
        """shape=(N, 2), x and y in pixels."""
        return self.positions.astype(np.float32) * np.float32(1 / POSITION_STEPS_PER_PX)

    def first(self, count: int) -> LocalFeatures:
        """The `count` features of strongest response."""
        return LocalFeatures(
            self.width_px,
            self.height_px,
            self.positions[:count],
            self.scales[:count],
            self.orientations[:count],
            self.root_sift[:count],
        )


def to_bytes(features: LocalFeatures) -> bytes:
    """Width, height, and a record each."""
    records = np.empty(len(features), _RECORD)
    records["position"] = features.positions
    records["scale"] = features.scales
    records["orientation"] = features.orientations
    records["descriptor"] = np.minimum(np.rint(features.root_sift * DESCRIPTOR_SCALE), 255)
    return _SIZE.pack(features.width_px, features.height_px) + records.tobytes()


def from_bytes(blob: bytes) -> LocalFeatures:
    """Raises ValueError for a blob of another length than whole records have."""
    if len(blob) < _SIZE.size:
        raise ValueError("shorter than its header")
    width_px, height_px = _SIZE.unpack_from(blob)
    records = np.frombuffer(blob, _RECORD, offset=_SIZE.size)
    return LocalFeatures(
        width_px,
        height_px,
        records["position"],
        records["scale"],
        records["orientation"],
        records["descriptor"].astype(np.float32) * np.float32(1 / DESCRIPTOR_SCALE),
    )
