"""Which images share local features with a query: each of its features votes for those most like it.

An inverted file of cells with signatures (`cells`), searched as Hamming embedding is: Jégou, Douze & Schmid,
ECCV 2008. What a feature resembles often says little, so that its votes count less (the inverse document
frequency of Sivic & Zisserman, ICCV 2003), and only its best ones do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features.cells import CELLS, SIGNATURE_BITS, nearest_cells, signatures
from imagesearch.local_features.features import LocalFeatures
from imagesearch.segmented import Segmented

PROBES = 4
"""Cells that a feature of a query is looked for in, as far as MAX_COMPARISONS reaches."""
MAX_DISTANCE = 24
"""Bits in which two signatures of one point may differ."""
VOTES = 50
"""Of each feature of a query, for the features most like it. With 5 fewer right photos of Holidays are among
the first 40 (0.89, not 0.90), and of more than 5 copies of a picture some have none."""
MAX_COMPARISONS = 3_000_000
"""Of signatures, of one query: some 40 ms of a core. 1,000 features reach it among 17,000 photos;
among 100,000 the strongest 600 are looked for, in their nearest cell."""
_BLOCK = 1 << 18
_STRENGTHS = np.maximum(np.cos(np.arange(SIGNATURE_BITS + 1) * (np.pi / SIGNATURE_BITS)), 0) ** 2
"""By the number of differing bits: the squared cosine of the angle that so many bits mean (Charikar 2002)."""


@dataclass(frozen=True, slots=True, eq=False)
class CellLists:
    """The features of some rows that follow one another, by their cells. The arrays may be memory-mapped."""

    count: int
    """Of the rows."""
    starts: NDArray[np.int64]
    """shape=(CELLS + 1,): the features of cell c are those from starts[c] up to starts[c + 1]."""
    rows: NDArray[np.uint32]
    """shape=(P,): of each feature the row, the first one being 0."""
    signatures: NDArray[np.uint64]
    """shape=(P,)"""

    def __post_init__(self) -> None:
        """Raises SnapshotDamaged where the arrays do not fit one another."""
        fits = len(self.starts) == CELLS + 1 and self.starts[0] == 0 and (np.diff(self.starts) >= 0).all()
        if not fits or not self.starts[-1] == len(self.rows) == len(self.signatures):
            raise SnapshotDamaged("The stored lists of local features do not fit the snapshot; index again.")

    def __len__(self) -> int:
        return self.count

    def lengths(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.starts[cells + 1] - self.starts[cells]

    def near(self, cells: NDArray[np.int64], sought: NDArray[np.uint64]) -> _Near:
        """cells and sought: shape=(Q,), where to look for which signature."""
        lengths = self.lengths(cells)
        places = np.repeat(np.arange(len(cells)), lengths)
        before = self.starts[cells] - (np.cumsum(lengths) - lengths)
        entries = np.arange(len(places)) + np.repeat(before, lengths)
        distances = np.bitwise_count(self.signatures[entries] ^ sought[places])
        kept = np.flatnonzero(distances <= MAX_DISTANCE)
        return _Near(places[kept], self.rows[entries[kept]].astype(np.int64), distances[kept])


class SegmentedCellLists(Segmented[CellLists]):
    """The lists of a collection."""


def cell_lists(pictures: Iterable[LocalFeatures]) -> CellLists:
    """Of one picture a row. Takes 44 bytes a feature meanwhile."""
    counts, cells, all_signatures = [], [], []
    for features in pictures:
        own = nearest_cells(features.root_sift, 1)[:, 0]
        counts.append(len(features))
        cells.append(own.astype(np.uint16))
        all_signatures.append(signatures(features.root_sift, own))
    if not counts:
        return CellLists(0, np.zeros(CELLS + 1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.uint64))
    of_cell = np.concatenate(cells)
    order = np.argsort(of_cell, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(of_cell, minlength=CELLS))))
    rows = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
    return CellLists(len(counts), starts, rows[order], np.concatenate(all_signatures)[order])


def most_voted(
    lists: SegmentedCellLists,
    queries: Sequence[LocalFeatures],
    count: int,
    among: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """At most `count` rows, the one with most votes first; of several queries the most that one gives counts.

    among: shape=(rows,), the rows that may be voted for; None for all.
    """
    totals = np.zeros(len(lists))
    for query in queries:
        np.maximum(totals, _votes(lists, query.root_sift, among), out=totals)
    voted = np.flatnonzero(totals)
    return voted[np.argsort(-totals[voted], kind="stable")[:count]]


@dataclass(frozen=True, slots=True)
class _Near:
    """Features with a signature near a sought one."""

    places: NDArray[np.int64]
    """shape=(K,): of the sought one."""
    rows: NDArray[np.int64]
    distances: NDArray[np.uint8]


def _votes(
    lists: SegmentedCellLists, root_sift: NDArray[np.float32], among: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    cells = nearest_cells(root_sift, PROBES)
    sought = signatures(root_sift, cells).T.ravel()
    cells = cells.T.ravel()  # the nearest of each feature, then the second nearest of each, and so on
    lengths = np.sum([part.lengths(cells) for part in lists.parts], axis=0)
    found = [
        _Near((block.start + near.places) % len(root_sift), start + near.rows, near.distances)
        for block in _blocks(lengths)
        for start, part in zip(lists.starts.tolist(), lists.parts, strict=False)
        for near in [part.near(cells[block], sought[block])]
    ]
    features, rows, distances = (
        np.concatenate([getattr(near, name) for near in found] or [np.zeros(0, np.int64)])
        for name in ("places", "rows", "distances")
    )
    if among is not None:
        kept = among[rows]
        features, rows, distances = features[kept], rows[kept], distances[kept]
    return _counted(features, rows, distances, len(root_sift), len(lists))


def _blocks(lengths: NDArray[np.int64]) -> Iterator[slice]:
    """Of lists in order, as many as MAX_COMPARISONS allows, some _BLOCK comparisons at a time."""
    reached = np.cumsum(lengths)
    end = int(np.searchsorted(reached, MAX_COMPARISONS, side="right"))
    edges = np.searchsorted(reached[:end], np.arange(0, MAX_COMPARISONS, _BLOCK))
    bounds = np.unique([0, *edges, end]).tolist()
    yield from (slice(start, stop) for start, stop in zip(bounds, bounds[1:], strict=False))


def _counted(
    features: NDArray[np.int64],
    rows: NDArray[np.int64],
    distances: NDArray[np.uint8],
    feature_count: int,
    row_count: int,
) -> NDArray[np.float64]:
    """Each feature's VOTES nearest count, each by how near it is and by how few are."""
    order = np.argsort(features * (SIGNATURE_BITS + 1) + distances, kind="stable")
    features, rows, strengths = features[order], rows[order], _STRENGTHS[distances[order]]
    first = np.searchsorted(features, np.arange(feature_count + 1))
    rarity = np.log(1 + row_count / np.maximum(np.diff(first), 1))
    voting = np.arange(len(features)) - first[features] < VOTES
    weights = (strengths * rarity[features])[voting]
    return np.asarray(np.bincount(rows[voting], weights, row_count), np.float64)
