"""From a descriptor to rows: the nearest by it, and those that local features say are alike.

A descriptor of the whole picture misses what shows a part of it, or is turned; local features do not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.queries import SearchOptions
from imagesearch.index.base import Neighbours
from imagesearch.local_features import LocalFeatures
from imagesearch.ranking.expansion import alpha_expansion, average_expansion

EXPANSION_NEIGHBOURS = 5
"""Results averaged into an expanded query. With a smaller network it lifted the mean average precision of
Corel-1k, a hundred photos a class, from 0.635 to 0.661, and cost it on Holidays, two photos a scene, from
0.375 to 0.288: wrong neighbours outvote the few right ones. Hence an option, for finding more of a kind."""

_LARGEST = float(np.finfo(np.float32).max)


def nearest(
    served: ServedSnapshot,
    descriptor: NDArray[np.float32],
    options: SearchOptions,
    own_rows: Sequence[int],
    count: int,
) -> Neighbours:
    """At most `count` rows within `max_distance`, without `own_rows`.

    descriptor: shape=(D,), L2-normalised.
    """
    # More than asked for, because the query's own photos may be among them.
    found = served.index(options.exact).search(descriptor[np.newaxis], count + len(own_rows))[0]
    found = found[(found.rows >= 0) & ~np.isin(found.rows, own_rows)]
    return _within(found, options.max_distance)[:count]


def expanded(
    served: ServedSnapshot,
    descriptor: NDArray[np.float32],
    options: SearchOptions,
    own_rows: Sequence[int],
) -> NDArray[np.float32]:
    """The query averaged with its nearest."""
    found = nearest(served, descriptor, options, own_rows, EXPANSION_NEIGHBOURS)
    return alpha_expansion(descriptor, served.snapshot.descriptors[found.rows].astype(np.float32))


class AlikeRows:
    """The rows whose local features resemble those of a query's photos."""

    def __init__(
        self, served: ServedSnapshot, photos: Sequence[LocalFeatures], own_rows: Sequence[int]
    ) -> None:
        """own_rows: to leave out."""
        self._served = served
        self._own_rows = own_rows
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
    found: Neighbours,
    rows: NDArray[np.int64],
    descriptor: NDArray[np.float32],
    max_distance: float | None,
) -> Neighbours:
    """What was found by descriptor, then those of the rows that were not, if they are within the distance."""
    new = rows[~np.isin(rows, found.rows)]
    offsets = served.snapshot.descriptors[new].astype(np.float32) - descriptor
    added = _within(Neighbours(new, np.linalg.norm(offsets, axis=1).astype(np.float32)), max_distance)
    return Neighbours(
        np.concatenate((found.rows, added.rows)), np.concatenate((found.distances, added.distances))
    )


def alternating(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[int]:
    """Each row once: the best of the one, the best of the other, the second best of the one, and so on."""
    ranks = np.concatenate((2 * np.arange(len(first)), 2 * np.arange(len(second)) + 1))
    rows = np.concatenate((first, second))[np.argsort(ranks, kind="stable")]
    return list(dict.fromkeys(rows.tolist()))


def _within(found: Neighbours, max_distance: float | None) -> Neighbours:
    """A bound that is too large for a float32 is none."""
    return found if max_distance is None else found[found.distances <= min(max_distance, _LARGEST)]
