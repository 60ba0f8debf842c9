"""Local features on disk: 22 bytes a feature, one code after the other, memory-mapped when read."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features.codes import CODE, from_codes, to_codes
from imagesearch.local_features.features import LocalFeatures
from imagesearch.segmented import Segmented

_SIZE = struct.Struct("<II")

NOTHING = _SIZE.pack(1, 1)
"""The blob of a picture without local features."""


def to_blob(features: LocalFeatures) -> bytes:
    """One picture's features: width, height, codes."""
    return _SIZE.pack(features.width_px, features.height_px) + to_codes(features).tobytes()


def from_blob(blob: bytes) -> LocalFeatures:
    """Raises SnapshotDamaged for a blob of another length than whole codes have."""
    codes, width_px, height_px = codes_of(blob)
    return from_codes(codes, width_px, height_px)


def codes_of(blob: bytes) -> tuple[NDArray[np.void], int, int]:
    """A blob's codes, and the size of its picture. Raises SnapshotDamaged as `from_blob` does."""
    if len(blob) < _SIZE.size or (len(blob) - _SIZE.size) % CODE.itemsize:
        raise SnapshotDamaged("The stored local features of a picture are damaged; index again.")
    width_px, height_px = _SIZE.unpack_from(blob)
    return np.frombuffer(blob, CODE, offset=_SIZE.size), width_px, height_px


@dataclass(frozen=True, slots=True, eq=False)
class LocalFeatureTable:
    """The local features of a segment, by row. The arrays may be memory-mapped: only rows asked for are
    read."""

    codes: NDArray[np.void]
    """shape=(P,), dtype=CODE: every picture's, in order of row."""
    starts: NDArray[np.int64]
    """shape=(N + 1,): row i's codes are those from starts[i] up to starts[i + 1]."""
    sizes: NDArray[np.uint32]
    """shape=(N, 2): width and height in pixels of the picture that the positions refer to."""

    def __post_init__(self) -> None:
        """Raises SnapshotDamaged where the arrays do not fit one another."""
        fits = len(self.starts) == len(self.sizes) + 1 and self.starts[0] == 0
        if not fits or self.starts[-1] != len(self.codes) or self.codes.dtype != CODE:
            raise SnapshotDamaged("The stored local features do not fit the snapshot; index again.")

    def __len__(self) -> int:
        return len(self.sizes)

    def features(self, row: int) -> LocalFeatures:
        width_px, height_px = (int(side) for side in self.sizes[row])
        return from_codes(self.codes[self.starts[row] : self.starts[row + 1]], width_px, height_px)


class SegmentedFeatures(Segmented[LocalFeatureTable]):
    """The local features of a collection of several segments."""

    def features(self, row: int) -> LocalFeatures:
        table, place = self.locate(row)
        return table.features(place)
