"""Local features on disk: 136 bytes a feature, one record after the other, memory-mapped when read."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features.features import DIM, LocalFeatures
from imagesearch.segmented import Segmented

RECORD = np.dtype(
    [
        ("position", "<u2", (2,)),
        ("scale", "<f2"),
        ("orientation", "<u2"),
        ("descriptor", "u1", (DIM,)),
    ]
)
"""One feature; the fields are those of `LocalFeatures`."""

_SIZE = struct.Struct("<II")


def to_bytes(features: LocalFeatures) -> bytes:
    """One picture's features as a blob: width, height, records."""
    return _SIZE.pack(features.width_px, features.height_px) + to_records(features).tobytes()


def from_bytes(blob: bytes) -> LocalFeatures:
    """Raises SnapshotDamaged for a blob of another length than whole records have."""
    if len(blob) < _SIZE.size or (len(blob) - _SIZE.size) % RECORD.itemsize:
        raise SnapshotDamaged("The stored local features of a picture are damaged; index again.")
    width_px, height_px = _SIZE.unpack_from(blob)
    return from_records(np.frombuffer(blob, RECORD, offset=_SIZE.size), width_px, height_px)


def to_records(features: LocalFeatures) -> NDArray[np.void]:
    """shape=(N,), dtype=RECORD."""
    records = np.empty(len(features), RECORD)
    records["position"] = features.positions
    records["scale"] = features.scales
    records["orientation"] = features.orientations
    records["descriptor"] = features.descriptors
    return records


def from_records(records: NDArray[np.void], width_px: int, height_px: int) -> LocalFeatures:
    """Views into the records, not copies."""
    return LocalFeatures(
        width_px,
        height_px,
        records["position"],
        records["scale"],
        records["orientation"],
        records["descriptor"],
    )


@dataclass(frozen=True, slots=True, eq=False)
class LocalFeatureTable:
    """The local features of a segment, by row. The arrays may be memory-mapped: only rows asked for are
    read."""

    records: NDArray[np.void]
    """shape=(P,), dtype=RECORD: every picture's, in order of row."""
    starts: NDArray[np.int64]
    """shape=(N + 1,): row i's records are those from starts[i] up to starts[i + 1]."""
    sizes: NDArray[np.uint32]
    """shape=(N, 2): width and height in pixels of the picture that the positions refer to."""

    def __post_init__(self) -> None:
        """Raises SnapshotDamaged where the arrays do not fit one another."""
        fits = len(self.starts) == len(self.sizes) + 1 and self.starts[0] == 0
        if not fits or self.starts[-1] != len(self.records) or self.records.dtype != RECORD:
            raise SnapshotDamaged("The stored local features do not fit the snapshot; index again.")

    def __len__(self) -> int:
        return len(self.sizes)

    def features(self, row: int) -> LocalFeatures:
        width_px, height_px = (int(side) for side in self.sizes[row])
        return from_records(self.records[self.starts[row] : self.starts[row + 1]], width_px, height_px)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"records": self.records, "starts": self.starts, "sizes": self.sizes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LocalFeatureTable:
        return cls(arrays["records"], arrays["starts"], arrays["sizes"])


class SegmentedFeatures(Segmented[LocalFeatureTable]):
    """The local features of a collection of several segments."""

    def features(self, row: int) -> LocalFeatures:
        table, place = self.locate(row)
        return table.features(place)


def build_table(pictures: Iterable[LocalFeatures]) -> LocalFeatureTable:
    """pictures: in order of row."""
    listed = list(pictures)
    records = [to_records(features) for features in listed]
    starts = np.concatenate(([0], np.cumsum([len(features) for features in listed]))).astype(np.int64)
    sizes = [(features.width_px, features.height_px) for features in listed]
    return LocalFeatureTable(
        records=np.concatenate(records or [np.empty(0, RECORD)]),
        starts=starts,
        sizes=np.array(sizes, np.uint32).reshape(-1, 2),
    )
