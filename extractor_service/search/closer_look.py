"""From a query to hits ranked after a closer look: search, localise and verify the first ones, re-rank."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.candidates import AlikeRows, alternating, with_rows
from extractor_service.search.localized_hits import RowLocalizer
from extractor_service.search.nearest import (
    EXPANSION_NEIGHBOURS,
    Finding,
    Nearest,
    expanded,
    nearest,
    to_hits,
)
from extractor_service.search.queries import Hit, SearchOptions, Timings
from imagesearch.errors import OptionUnavailable
from imagesearch.host.cpus import available_cpus
from imagesearch.local_features import LocalFeatures
from imagesearch.local_features.storage import SegmentedFeatures
from imagesearch.pictures.region import Region
from imagesearch.ranking.expansion import average_expansion
from imagesearch.ranking.localization import Localization
from imagesearch.ranking.reranking import reranked, verify_candidates
from imagesearch.ranking.verification import SpatialMatch


@dataclass(frozen=True, slots=True)
class Effort:
    """How far one search may look closer."""

    candidates: int
    """First hits by descriptor, also beyond the limit; to verify, as many again by local features."""
    budget_s: float
    """Those not reached within it are not looked at."""


@dataclass(frozen=True, slots=True)
class Efforts:
    """Of each kind of closer look."""

    verify: Effort
    localize: Effort


@dataclass(frozen=True, slots=True)
class ExaminableQuery:
    """A query as the index and a closer look see it."""

    descriptor: NDArray[np.float32]
    """shape=(D,), L2-normalised."""
    own_rows: frozenset[int]
    """Rows of its photos, where they are indexed."""
    local_features: Sequence[LocalFeatures] = ()
    """Of each photo to look for: all count as one query, within one budget. Empty unless it is to verify."""
    mac_vectors: Sequence[NDArray[np.float32]] = ()
    """The same to localise, one or more of each: shape=(C,), not normalised."""


def rank_examined(
    served: ServedSnapshot, query: ExaminableQuery, options: SearchOptions, efforts: Efforts, timings: Timings
) -> list[Hit]:
    """At most `limit` hits in the order of `ranking.reranking.reranked`, without the query itself.

    With `expand` and `verify` it searches again with the query averaged with its verified hits. Raises
    OptionUnavailable where the snapshot lacks what an option needs.
    """
    search = _ExaminedSearch(served, query, options, efforts, timings)
    descriptor = query.descriptor
    if options.expand and not options.verify:
        with timings.measure("search"):
            descriptor = expanded(served, descriptor, options, query.own_rows)
    found, findings = search.expanded_by(descriptor, np.empty(0, np.int64))
    if options.expand and options.verify:
        found, findings = search.expanded_by(descriptor, _verified_rows(found, findings))
    with timings.measure("search"):
        return to_hits(served, found.first(options.limit), findings[: options.limit])


class _ExaminedSearch:
    """Searches, perhaps with several descriptors, and looks at each row once, in all within the budgets."""

    def __init__(
        self,
        served: ServedSnapshot,
        query: ExaminableQuery,
        options: SearchOptions,
        efforts: Efforts,
        timings: Timings,
    ) -> None:
        self._served = served
        self._query = query
        self._options = options
        self._efforts = efforts
        self._verify_left_s = efforts.verify.budget_s
        self._timings = timings
        self._matches: dict[int, SpatialMatch | None] = {}
        self._alike = AlikeRows(served, query.local_features, query.own_rows)
        self._localizer = (
            RowLocalizer(served, query.mac_vectors, efforts.localize.budget_s) if options.localize else None
        )

    def expanded_by(
        self, descriptor: NDArray[np.float32], neighbours: NDArray[np.int64]
    ) -> tuple[Nearest, list[Finding]]:
        """By the descriptor averaged with these rows: re-ranked, and what was found in each."""
        options = self._options
        with self._timings.measure("search"):
            matrix = self._served.snapshot.descriptors
            descriptor = average_expansion(descriptor, matrix[neighbours].astype(np.float32))
            found = nearest(self._served, descriptor, options, self._query.own_rows, self._reach)
            alike = self._alike.first(self._efforts.verify.candidates, neighbours)
            candidates = alternating(found.rows[: self._efforts.verify.candidates], alike)
            found = with_rows(self._served, found, alike, descriptor, options.max_distance)
        rows = found.rows.tolist()
        locations = self._localize(rows)
        matches = self._verify(rows, candidates)
        order = reranked(
            found.distances, _inliers(matches), _cosines(locations) if self._options.localize else None
        )
        return found.reordered(order), [Finding(matches[place], locations[place]) for place in order]

    @property
    def _reach(self) -> int:
        """How many hits to search for."""
        verified = self._efforts.verify.candidates if self._options.verify else 0
        localized = self._efforts.localize.candidates if self._options.localize else 0
        return max(self._options.limit, verified, localized)

    def _localize(self, rows: Sequence[int]) -> list[Localization | None]:
        if self._localizer is None:
            return [None] * len(rows)
        with self._timings.measure("localize"):
            candidates = self._efforts.localize.candidates
            return self._localizer.localize(rows[:candidates]) + [None] * len(rows[candidates:])

    def _verify(self, rows: Sequence[int], candidates: Sequence[int]) -> list[SpatialMatch | None]:
        if not self._options.verify:
            return [None] * len(rows)
        with self._timings.measure("verify"):
            self._verify_new([row for row in candidates if row not in self._matches])
        return [self._matches.get(row) for row in rows]

    def _verify_new(self, rows: Sequence[int]) -> None:
        started = time.monotonic()
        table = local_features_of(self._served)
        loads = [partial(table.features, row) for row in rows]
        matches = verify_candidates(self._query.local_features, loads, self._verify_left_s, available_cpus())
        self._matches |= zip(rows, map(self._in_photo, matches), strict=True)
        self._verify_left_s -= time.monotonic() - started

    def _in_photo(self, match: SpatialMatch | None) -> SpatialMatch | None:
        if match is None:
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


def _verified_rows(found: Nearest, findings: Sequence[Finding]) -> NDArray[np.int64]:
    """Of the first EXPANSION_NEIGHBOURS: one wrong result cannot pull the query away."""
    verified = [finding.match is not None for finding in findings[:EXPANSION_NEIGHBOURS]]
    return found.rows[:EXPANSION_NEIGHBOURS][verified]


def _in_whole_photo(match: SpatialMatch, region: Region | None) -> SpatialMatch:
    """The query's points as fractions of the photo that its region was cut from."""
    if region is None:
        return match
    origin = np.array([region.x, region.y], np.float32)
    size = np.array([region.width, region.height], np.float32)
    return replace(match, query_points=origin + match.query_points * size)


def _inliers(matches: Sequence[SpatialMatch | None]) -> NDArray[np.int64]:
    return np.array([match.inliers if match else 0 for match in matches], np.int64)


def _cosines(locations: Sequence[Localization | None]) -> NDArray[np.float64]:
    return np.array([location.cosine if location else np.nan for location in locations], np.float64)
