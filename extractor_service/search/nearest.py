"""From a descriptor to rows: the nearest by it, and those that local features say are alike.

A descriptor of the whole picture misses what shows a part of it, or is turned; local features do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.queries import MAX_REACH, SearchOptions
from imagesearch.index.base import Index, Neighbours
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.local_features import LocalFeatures
from imagesearch.local_features.votes import most_voted
from imagesearch.ranking.calibration import largest_distance
from imagesearch.ranking.expansion import alpha_expansion
from imagesearch.store.filters import Filter

EXPANSION_NEIGHBOURS = 5
"""Results averaged into an expanded query. With a smaller network it lifted the mean average precision of
Corel-1k, a hundred photos a class, from 0.635 to 0.661, and cost it on Holidays, two photos a scene, from
0.375 to 0.288: wrong neighbours outvote the few right ones. Hence an option, for finding more of a kind."""

OVERSAMPLING = 2
"""Of an approximate index, so many times the rows wanted are put in order by their descriptors: what its
codes rank last is seldom what lies furthest."""
_LARGEST = float(np.finfo(np.float32).max)
"""Of a distance: a larger bound is none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a collection one search may find."""

    own_rows: Sequence[int]
    """Of the query's own photos, which are left out."""
    among: NDArray[np.bool_] | None
    """shape=(rows,): those that the search's filter lets through; None for all."""
    where: Filter
    """That filter."""
    max_distance: float
    exact: bool
    """Whether to compare with every row, even where there is an approximate index."""

    @classmethod
    def of(
        cls,
        served: ServedSnapshot,
        options: SearchOptions,
        own_rows: Sequence[int],
        background: NDArray[np.float32],
    ) -> Scope:
        """background: distances that scores are taken from, ascending. Raises UnknownFolder."""
        bounds = [_LARGEST]
        if options.max_distance is not None:
            bounds.append(options.max_distance)
        if options.min_score is not None:
            bounds.append(largest_distance(options.min_score, background))
        return cls(own_rows, served.selected(options.where), options.where, min(bounds), options.exact)

    def rows_of(self, descriptors: DescriptorMatrix) -> NDArray[np.bool_]:
        """shape=(rows,): those that it leaves, however far they are."""
        left = np.ones(len(descriptors), np.bool_)
        left[self.own_rows] = False
        for others in (self.among, descriptors.live):
            if others is not None:
                left &= others
        return left

    def within(self, found: Neighbours) -> Neighbours:
        """Those that are near enough, without the query's own."""
        return found[(found.distances <= self.max_distance) & ~np.isin(found.rows, self.own_rows)]


def nearest(served: ServedSnapshot, descriptor: NDArray[np.float32], scope: Scope, count: int) -> Neighbours:
    """At most `count` rows. descriptor: shape=(D,), L2-normalised."""
    index = served.index(scope.exact, scope.where)
    # More than asked for, because the query's own photos may be among them.
    wanted = count + len(scope.own_rows)
    found = _found(index, descriptor, wanted, scope.among)
    if index.approximate and scope.among is not None and 2 * len(found) < min(wanted, scope.among.sum()):
        # The codes lead away from what the filter lets through.
        found = _found(served.index(exact=True), descriptor, wanted, scope.among)
    return scope.within(found)[:count]


def nearest_in_steps(
    served: ServedSnapshot, descriptor: NDArray[np.float32], scope: Scope, first: int, reach: int
) -> Neighbours:
    """At most `reach` rows or, where that is less, `first`, which are the same whatever the reach: a later
    page continues an earlier one. An approximate index that looks for more also finds what it had overlooked,
    for which it is too late."""
    if not served.index(scope.exact).approximate:
        return nearest(served, descriptor, scope, max(first, reach))
    head = nearest(served, descriptor, scope, OVERSAMPLING * first)[:first]
    if reach <= first or len(head) < first:
        return head
    deeper = nearest(served, descriptor, scope, OVERSAMPLING * (MAX_REACH + 1))[: MAX_REACH + 1]
    tail = deeper[(deeper.distances >= head.distances[-1]) & ~np.isin(deeper.rows, head.rows)]
    return joined(head, tail)


def expanded(served: ServedSnapshot, descriptor: NDArray[np.float32], scope: Scope) -> NDArray[np.float32]:
    """The query averaged with its nearest."""
    found = nearest(served, descriptor, scope, EXPANSION_NEIGHBOURS)
    return alpha_expansion(descriptor, served.snapshot.descriptors[found.rows].astype(np.float32))


class AlikeRows:
    """The rows that share local features with a query's photos."""

    def __init__(self, served: ServedSnapshot, photos: Sequence[LocalFeatures], scope: Scope) -> None:
        self._snapshot = served.snapshot
        self._photos = photos
        self._among = scope.rows_of(served.snapshot.descriptors)

    def first(self, count: int, neighbours: NDArray[np.int64]) -> NDArray[np.int64]:
        """At most `count` rows, the one with most votes first.

        neighbours: rows whose features vote, too: what was verified shows more of the object than the query
        (Chum et al. 2007).
        """
        lists, table = self._snapshot.cell_lists, self._snapshot.local_features
        if lists is None or table is None:
            return np.empty(0, np.int64)
        photos = [*self._photos, *(table.features(row) for row in neighbours.tolist())]
        return most_voted(lists, photos, count, self._among)


def with_rows(
    served: ServedSnapshot,
    found: Neighbours,
    rows: NDArray[np.int64],
    descriptor: NDArray[np.float32],
    scope: Scope,
) -> Neighbours:
    """What was found by descriptor, then those of the rows that were not, if they are near enough."""
    new = rows[~np.isin(rows, found.rows)]
    offsets = served.snapshot.descriptors[new].astype(np.float32) - descriptor
    distances = np.linalg.norm(offsets, axis=1).astype(np.float32)
    return joined(found, scope.within(Neighbours(new, distances)))


def joined(first: Neighbours, second: Neighbours) -> Neighbours:
    """Of one query, one after the other."""
    return Neighbours(
        np.concatenate((first.rows, second.rows)), np.concatenate((first.distances, second.distances))
    )


def alternating(first: NDArray[np.int64], second: NDArray[np.int64]) -> list[int]:
    """Each row once: the best of the one, the best of the other, the second best of the one, and so on."""
    ranks = np.concatenate((2 * np.arange(len(first)), 2 * np.arange(len(second)) + 1))
    rows = np.concatenate((first, second))[np.argsort(ranks, kind="stable")]
    return list(dict.fromkeys(rows.tolist()))


def _found(
    index: Index, descriptor: NDArray[np.float32], count: int, among: NDArray[np.bool_] | None
) -> Neighbours:
    found = index.search(descriptor[np.newaxis], count, among)[0]
    return found[found.rows >= 0]
