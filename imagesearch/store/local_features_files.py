"""The local features of a segment: three plain arrays, the large one memory-mapped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import array_file
from imagesearch.local_features.storage import RECORD, LocalFeatureTable, from_bytes, to_records
from imagesearch.store.layout import SegmentFiles

RECORDS_NAME = "local_features.npy"
STARTS_NAME = "local_starts.npy"
SIZES_NAME = "local_sizes.npy"


def write_local_features(files: SegmentFiles, blobs: Iterable[bytes], count: int) -> None:
    """blobs: of `storage.to_bytes`, one a row, read once. Raises ValueError for more or less than `count`."""
    starts = np.zeros(count + 1, "<i8")
    sizes = np.zeros((count, 2), "<u4")
    with array_file(files.path(RECORDS_NAME), RECORD) as file:
        for row, (blob, _) in enumerate(zip(blobs, range(count), strict=True)):
            features = from_bytes(blob)
            file.write(to_records(features).tobytes())
            starts[row + 1] = starts[row] + len(features)
            sizes[row] = features.width_px, features.height_px
    np.save(files.path(STARTS_NAME), starts, allow_pickle=False)
    np.save(files.path(SIZES_NAME), sizes, allow_pickle=False)


def open_local_features(files: SegmentFiles) -> LocalFeatureTable:
    """Raises OSError, ValueError or SnapshotDamaged where the files cannot be read or do not fit."""
    return LocalFeatureTable(
        records=_load_records(files.path(RECORDS_NAME)),
        starts=np.load(files.path(STARTS_NAME), allow_pickle=False),
        sizes=np.load(files.path(SIZES_NAME), allow_pickle=False),
    )


def _load_records(path: Path) -> NDArray[np.void]:
    records: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return records
