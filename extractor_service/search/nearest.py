"""From a descriptor to ranked hits: search, score, look up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.queries import Hit, SearchOptions
from imagesearch.ranking.calibration import score
from imagesearch.ranking.expansion import alpha_expansion
from imagesearch.ranking.localization import Localization
from imagesearch.ranking.verification import SpatialMatch

EXPANSION_NEIGHBOURS = 5
"""Results averaged into an expanded query. With the compact fc6 it lifts the mean average precision of
Corel-1k, a hundred photos a class, from 0.635 to 0.661, and costs it on Holidays, two photos a scene, from
0.375 to 0.288: wrong neighbours outvote the few right ones. Hence an option, for finding more of a kind."""

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Nearest:
    """What the index found."""

    rows: NDArray[np.int64]
    """shape=(N,)"""
    distances: NDArray[np.float32]
    """shape=(N,), ascending with ties by row until reordered."""

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, count: int) -> Nearest:
        return Nearest(self.rows[:count], self.distances[:count])

    def reordered(self, order: NDArray[np.intp]) -> Nearest:
        return Nearest(self.rows[order], self.distances[order])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a closer look at a hit found; None where none was asked for or it found nothing."""

    match: SpatialMatch | None = None
    location: Localization | None = None


NOTHING_FOUND = Finding()


def rank(
    served: ServedSnapshot,
    descriptor: NDArray[np.float32],
    options: SearchOptions,
    own_rows: Collection[int],
) -> list[Hit]:
    """descriptor: shape=(D,), L2-normalised. Ascending by distance, ties by image id; without `own_rows`.

    With `expand` the distances are those to the expanded query.
    """
    if options.expand:
        descriptor = expanded(served, descriptor, options, own_rows)
    found = nearest(served, descriptor, options, own_rows, options.limit)
    return to_hits(served, found, [NOTHING_FOUND] * len(found))


def to_hits(served: ServedSnapshot, found: Nearest, findings: Sequence[Finding]) -> list[Hit]:
    """findings: one for each of the found."""
    scores = score(found.distances, served.snapshot.background_distances)
    records = served.snapshot.records(found.rows.tolist())
    return [
        Hit(
            record,
            float(distance),
            None if scores is None else float(scores[place]),
            finding.match,
            finding.location.region if finding.location else None,
        )
        for place, (record, distance, finding) in enumerate(
            zip(records, found.distances, findings, strict=True)
        )
    ]


def nearest(
    served: ServedSnapshot,
    descriptor: NDArray[np.float32],
    options: SearchOptions,
    own_rows: Collection[int],
    count: int,
) -> Nearest:
    """At most `count` rows within `max_distance`, without `own_rows`."""
    # More than asked for, because the query's own photos may be among them.
    found = served.index(options.exact).search(descriptor[np.newaxis], count + len(own_rows))
    rows, distances = found.rows[0], found.distances[0]
    wanted = (rows >= 0) & ~np.isin(rows, list(own_rows))
    if options.max_distance is not None:
        wanted &= are_within(distances, options.max_distance)
    return Nearest(rows[wanted][:count], distances[wanted][:count])


def are_within(distances: NDArray[np.float32], max_distance: float) -> NDArray[np.bool_]:
    """True where a distance is at most this. A bound too large for a float32 is none."""
    return distances <= min(max_distance, _LARGEST)


def expanded(
    served: ServedSnapshot,
    descriptor: NDArray[np.float32],
    options: SearchOptions,
    own_rows: Collection[int],
) -> NDArray[np.float32]:
    """The query averaged with its nearest."""
    found = nearest(served, descriptor, options, own_rows, EXPANSION_NEIGHBOURS)
    return alpha_expansion(descriptor, served.snapshot.descriptors[found.rows].astype(np.float32))
