"""Figures of a store beside how well it ranks: what a photo takes, and whether scores are calibrated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.store.snapshot import Snapshot

MATRIX_FILES = ("descriptors.npy", "index.faiss")
INVERTED_FILES = ("postings",)
VERIFIED_FILES = ("local_features", "local_starts", "local_sizes", "cell_rows", "cell_signatures")


def bytes_per_photo(snapshot: Snapshot, verify: bool) -> int:
    """What a search reads of each photo: descriptors and index; with `verify`, local features too.

    Words, whitening and the like are left out: they do not grow with the collection.
    """
    files = snapshot.manifest.files
    inverted = any(part in name for name in files for part in INVERTED_FILES)
    counted = (
        *(INVERTED_FILES if inverted else MATRIX_FILES),
        *(VERIFIED_FILES if verify else ()),
    )
    total = sum(entry.bytes for name, entry in files.items() if any(part in name for part in counted))
    return round(total / max(snapshot.manifest.count, 1))


def distance_to_uniform(values: NDArray[np.float64]) -> float:
    """The Kolmogorov-Smirnov distance of a sample to the uniform distribution on [0, 1].

    The largest difference of the two distribution functions, 0 to 1. values: shape=(N,), N >= 1.
    """
    ordered, count = np.sort(values), len(values)
    above = np.arange(1, count + 1) / count - ordered
    below = ordered - np.arange(count) / count
    return float(max(above.max(), below.max()))
