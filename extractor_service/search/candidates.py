"""Which rows are worth verifying: the nearest by descriptor, and those that local features say are alike.

A descriptor of the whole picture misses what shows a part of it, or lies on its side; local features do not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.nearest import Nearest, are_within
from imagesearch.local_features import LocalFeatures
from imagesearch.ranking.expansion import average_expansion


class AlikeRows:
    """The rows whose local features resemble those of a query's photos."""

    def __init__(
        self, served: ServedSnapshot, photos: Sequence[LocalFeatures], own_rows: Collection[int]
    ) -> None:
        """own_rows: to leave out."""
        self._served = served
        self._own_rows = list(own_rows)
        encoding = served.snapshot.encodings.candidates
        self._queries = [encoding.encode(photo.root_sift) for photo in photos] if encoding else []

    def first(self, count: int, expanded_by: NDArray[np.int64]) -> NDArray[np.int64]:
        """At most `count` different rows, the best of each photo before the next best of any.

        expanded_by: rows that the photos are averaged with.
        """
        candidates, index = self._served.snapshot.candidates, self._served.candidates
        if candidates is None or index is None or not self._queries:
            return np.empty(0, np.int64)
        neighbours = candidates[expanded_by].astype(np.float32)
        queries = np.stack([average_expansion(query, neighbours) for query in self._queries])
        rows = index.search(queries, count + len(self._own_rows)).rows.T.ravel()
        rows = rows[(rows >= 0) & ~np.isin(rows, self._own_rows)]
        _, places = np.unique(rows, return_index=True)
        return rows[np.sort(places)][:count]


def with_rows(
    served: ServedSnapshot,
    found: Nearest,
    rows: NDArray[np.int64],
    descriptor: NDArray[np.float32],
    max_distance: float | None,
) -> Nearest:
    """What was found by descriptor, then those of the rows that were not, if they are within the distance."""
    new = rows[~np.isin(rows, found.rows)]
    offsets = served.snapshot.descriptors[new].astype(np.float32) - descriptor
    distances = np.linalg.norm(offsets, axis=1).astype(np.float32)
    if max_distance is not None:
        near = are_within(distances, max_distance)
        new, distances = new[near], distances[near]
    return Nearest(np.concatenate((found.rows, new)), np.concatenate((found.distances, distances)))


def alternating(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[int]:
    """Each row once: the best of the one, the best of the other, the second best of the one, and so on."""
    ranks = np.concatenate((2 * np.arange(len(first)), 2 * np.arange(len(second)) + 1))
    rows = np.concatenate((first, second))[np.argsort(ranks, kind="stable")]
    return list(dict.fromkeys(rows.tolist()))
