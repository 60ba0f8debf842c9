"""How rare a distance is in this collection: what turns a distance into a score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAIRS_AT_ONCE = 512
"""2 × 512 descriptors of 4096 float32 values are 16 MiB."""


def background_distances(
    descriptors: NDArray[np.float16], rng: np.random.Generator, max_pairs: int = 65_536
) -> NDArray[np.float32]:
    """L2 distances of random pairs of different rows, ascending; of all pairs where they are few enough.

    descriptors: shape=(N, D), rows L2-normalised. Returns shape=(P,); empty below two rows.
    """
    first, second = _pairs(len(descriptors), rng, max_pairs)
    distances = np.empty(len(first), np.float32)
    for start in range(0, len(first), PAIRS_AT_ONCE):
        span = slice(start, start + PAIRS_AT_ONCE)
        left, right = descriptors[first[span]], descriptors[second[span]]
        distances[span] = np.linalg.norm(left.astype(np.float32) - right.astype(np.float32), axis=1)
    return np.sort(distances)


def score(distances: NDArray[np.float32], background: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """For each distance the share of background pairs that lie strictly further apart, 0 to 1.

    distances: any shape; background: shape=(P,), ascending. None where the background is empty.
    """
    if not len(background):
        return None
    return 1 - np.searchsorted(background, distances, side="right") / len(background)


def _pairs(
    count: int, rng: np.random.Generator, max_pairs: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of each pair, never a row with itself."""
    if count * (count - 1) // 2 <= max_pairs:
        first, second = np.triu_indices(count, 1)
        return first, second
    first = rng.integers(count, size=max_pairs)
    second = (first + rng.integers(1, count, size=max_pairs)) % count
    return first, second
