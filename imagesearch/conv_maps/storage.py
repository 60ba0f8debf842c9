"""Convolutional maps on disk: five bits a value, deflated; some 4 kB for 20 × 14 cells of 320
channels.

A map is kept relative to its own largest value: comparing by cosine, nobody needs the value itself.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import SnapshotDamaged
from imagesearch.segmented import Segmented

LEVELS = 31
"""The code of a map's largest value. Measured on Holidays with a smaller network: the maxima over a map
keep a cosine of 0.9992 or more with the exact ones, in 4.3 kB; 255 levels would take 6.9 kB. With weights
whose maps are half zeros instead of nearly all, it is 24 kB and 43."""

NOISE = 1e-30
"""No network answers so little but by rounding, and float32 cannot hold LEVELS over much less."""

_SHAPE = struct.Struct("<HHH")


def to_bytes(conv_map: NDArray[np.float32]) -> bytes:
    """conv_map: shape=(H, W, C), >= 0. Returns height, width, channels, deflated codes channel by channel."""
    # Channel by channel, because neighbouring cells resemble each other: a fifth smaller. Looking for runs
    # alone takes a sixth of the time for 2 % more bytes.
    codes = quantised(conv_map).transpose(2, 0, 1)
    deflate = zlib.compressobj(strategy=zlib.Z_RLE)
    return _SHAPE.pack(*conv_map.shape) + deflate.compress(codes.tobytes()) + deflate.flush()


def from_bytes(blob: bytes) -> NDArray[np.uint8]:
    """The codes: shape=(H, W, C), 0 to LEVELS. Raises SnapshotDamaged for what is no such blob."""
    try:
        height, width, channels = _SHAPE.unpack_from(blob)
        codes = np.frombuffer(zlib.decompress(blob[_SHAPE.size :]), np.uint8)
        planes = codes.reshape(channels, height, width)
    except (struct.error, zlib.error, ValueError) as error:
        raise SnapshotDamaged("The stored convolutional map of a picture is damaged; index again.") from error
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def quantised(conv_map: NDArray[np.float32]) -> NDArray[np.uint8]:
    """round(LEVELS · x / largest x); a map of zeros stays zero, and what is below NOISE becomes zero."""
    largest = float(conv_map.max())
    if largest < NOISE:
        return np.zeros(conv_map.shape, np.uint8)
    return np.asarray(np.rint(conv_map * np.float32(LEVELS / largest)), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class ConvMapTable:
    """The maps of a segment, by row. The blobs may be memory-mapped: only rows asked for are read."""

    blobs: NDArray[np.uint8]
    """shape=(P,): the bytes of every picture's blob, in order of row."""
    starts: NDArray[np.int64]
    """shape=(N + 1,): row i's blob is that from starts[i] up to starts[i + 1]."""

    def __post_init__(self) -> None:
        """Raises SnapshotDamaged where the arrays do not fit one another."""
        fits = self.blobs.dtype == np.uint8 and self.starts.ndim == 1 and len(self.starts) > 0
        if not fits or self.starts[0] != 0 or self.starts[-1] != len(self.blobs):
            raise SnapshotDamaged("The stored convolutional maps do not fit the snapshot; index again.")

    def __len__(self) -> int:
        return len(self.starts) - 1

    def codes(self, row: int) -> NDArray[np.uint8]:
        """shape=(H, W, C), as `from_bytes` gives them."""
        return from_bytes(self.blobs[self.starts[row] : self.starts[row + 1]].tobytes())


class SegmentedMaps(Segmented[ConvMapTable]):
    """The maps of a collection of several segments."""

    def codes(self, row: int) -> NDArray[np.uint8]:
        table, place = self.locate(row)
        return table.codes(place)
