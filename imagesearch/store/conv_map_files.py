"""The convolutional maps of a segment: two plain arrays, the large one memory-mapped."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from imagesearch.array_file import array_file
from imagesearch.conv_maps.storage import ConvMapTable
from imagesearch.store.layout import SegmentFiles

MAPS_NAME = "conv_maps.npy"
MAP_STARTS_NAME = "conv_map_starts.npy"


def write_conv_maps(files: SegmentFiles, blobs: Iterable[bytes], count: int) -> None:
    """blobs: of `storage.to_bytes`, one a row, read once. Raises ValueError for more or less than `count`."""
    starts = np.zeros(count + 1, "<i8")
    with array_file(files.path(MAPS_NAME), "u1") as file:
        for row, (blob, _) in enumerate(zip(blobs, range(count), strict=True)):
            file.write(blob)
            starts[row + 1] = starts[row] + len(blob)
    np.save(files.path(MAP_STARTS_NAME), starts, allow_pickle=False)


def open_conv_maps(files: SegmentFiles) -> ConvMapTable:
    """Raises OSError, ValueError or SnapshotDamaged where the files cannot be read or do not fit."""
    blobs = np.load(files.path(MAPS_NAME), mmap_mode="r", allow_pickle=False)
    return ConvMapTable(blobs, np.load(files.path(MAP_STARTS_NAME), allow_pickle=False))
