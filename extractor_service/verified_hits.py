"""From a descriptor and local features to ranked hits: search, verify the first ones, re-rank."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from extractor_service.errors import OptionUnavailable
from extractor_service.hits import EXPANSION_NEIGHBOURS, Nearest, nearest, to_hits
from extractor_service.images import Region
from extractor_service.local_features import LocalFeatures
from extractor_service.local_features.storage import SegmentedFeatures
from extractor_service.queries import Hit, SearchOptions, Timings
from extractor_service.ranking.expansion import verified_expansion
from extractor_service.ranking.reranking import reranked, verify_candidates
from extractor_service.ranking.verification import SpatialMatch
from extractor_service.served_snapshot import ServedSnapshot

CONVINCING_INLIERS = 6
"""Fewer are taken for chance. Of the 40 nearest by the compact fc6, over 300 queries on Holidays, 314 of 346
right hits have as many, and 98 of 11,654 wrong ones. A bound of 4 ranks alike (mAP 0.666, not 0.667) but
outlines 3,272 wrong ones; one of 8 costs mAP (0.648)."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much one search may verify."""

    candidates: int
    """First hits by descriptor, also beyond the limit."""
    budget_s: float
    """Those not reached within it are not verified."""


@dataclass(frozen=True, slots=True)
class VerifiableQuery:
    """A query as the index and the verification see it."""

    descriptor: NDArray[np.float32]
    """shape=(D,), L2-normalised."""
    local_features: Sequence[LocalFeatures]
    """Of each photo to look for: all count as one query, within one budget."""
    own_rows: frozenset[int]
    """Rows of its photos, where they are indexed."""


def rank_verified(
    served: ServedSnapshot, query: VerifiableQuery, options: SearchOptions, effort: Effort, timings: Timings
) -> list[Hit]:
    """At most `limit` hits in the order of `ranking.reranking.reranked`, without the query itself.

    With `expand` it searches again with the query averaged with its verified hits. Raises OptionUnavailable
    where the snapshot holds no local features.
    """
    search = _VerifiedSearch(served, query, options, effort, timings)
    found, matches = search.with_descriptor(query.descriptor)
    if options.expand:
        found, matches = search.with_descriptor(_expanded(served, query.descriptor, found, matches))
    with timings.measure("search"):
        return to_hits(served, found.first(options.limit), matches[: options.limit])


class _VerifiedSearch:
    """Searches, perhaps with several descriptors, and verifies each row once, in all within the budget."""

    def __init__(
        self,
        served: ServedSnapshot,
        query: VerifiableQuery,
        options: SearchOptions,
        effort: Effort,
        timings: Timings,
    ) -> None:
        self._served = served
        self._query = query
        self._options = options
        self._candidates = effort.candidates
        self._left_s = effort.budget_s
        self._timings = timings
        self._matches: dict[int, SpatialMatch | None] = {}

    def with_descriptor(self, descriptor: NDArray[np.float32]) -> tuple[Nearest, list[SpatialMatch | None]]:
        """Re-ranked, and the match of each."""
        options, query = self._options, self._query
        with self._timings.measure("search"):
            count = max(options.limit, self._candidates)
            found = nearest(self._served, descriptor, options, query.own_rows, count)
        with self._timings.measure("verify"):
            rows = found.rows.tolist()
            self._verify(rows[: self._candidates])
            matches = [self._matches.get(row) for row in rows]
            order = reranked(found.distances, _inliers(matches))
        return found.reordered(order), [matches[place] for place in order]

    def _verify(self, rows: Sequence[int]) -> None:
        started = time.monotonic()
        new = [row for row in rows if row not in self._matches]
        table = local_features_of(self._served)
        loads = [partial(table.features, row) for row in new]
        matches = verify_candidates(self._query.local_features, loads, self._left_s)
        self._matches |= zip(new, map(self._if_convincing, matches), strict=True)
        self._left_s -= time.monotonic() - started

    def _if_convincing(self, match: SpatialMatch | None) -> SpatialMatch | None:
        if match is None or match.inliers < CONVINCING_INLIERS:
            return None
        return _in_whole_photo(match, self._options.region)


def local_features_of(served: ServedSnapshot) -> SegmentedFeatures:
    """Raises OptionUnavailable where there are none."""
    if served.snapshot.local_features is None:
        raise OptionUnavailable(
            "This index holds no local features, so results cannot be verified; index the photos again with "
            "INDEXER_LOCAL_FEATURES=true and build --rebuild."
        )
    return served.snapshot.local_features


def _expanded(
    served: ServedSnapshot,
    descriptor: NDArray[np.float32],
    found: Nearest,
    matches: Sequence[SpatialMatch | None],
) -> NDArray[np.float32]:
    rows = found.rows[:EXPANSION_NEIGHBOURS]
    neighbours = served.snapshot.descriptors[rows].astype(np.float32)
    inliers = _inliers(matches[:EXPANSION_NEIGHBOURS])
    return verified_expansion(descriptor, neighbours, inliers, CONVINCING_INLIERS)


def _in_whole_photo(match: SpatialMatch, region: Region | None) -> SpatialMatch:
    """The query's points as fractions of the photo that its region was cut from."""
    if region is None:
        return match
    origin = np.array([region.x, region.y], np.float32)
    size = np.array([region.width, region.height], np.float32)
    return replace(match, query_points=origin + match.query_points * size)


def _inliers(matches: Sequence[SpatialMatch | None]) -> NDArray[np.int64]:
    return np.array([match.inliers if match else 0 for match in matches], np.int64)
