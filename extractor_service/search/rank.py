"""From a described query to ranked hits: search, look closer where asked to, re-rank, look up."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.closer_look import CloserLook, Efforts, localizing, verifying
from extractor_service.search.described_query import DescribedQuery
from extractor_service.search.duplicates import Copies
from extractor_service.search.nearest import (
    EXPANSION_NEIGHBOURS,
    AlikeRows,
    Scope,
    alternating,
    expanded,
    nearest_in_steps,
    with_rows,
)
from extractor_service.search.queries import MAX_LIMIT, Hit, SearchOptions, Timings
from imagesearch.index.base import Neighbours
from imagesearch.ranking.calibration import score
from imagesearch.ranking.expansion import average_expansion
from imagesearch.ranking.likeness import likeness, same_pixels
from imagesearch.ranking.localization import Localization
from imagesearch.ranking.reranking import rank_scores
from imagesearch.ranking.verification import SpatialMatch
from imagesearch.store.records import ImageRecord

COLLAPSED_REACH = 2
"""So many times as many results are found as are shown, where some of them may stand for others."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a closer look at a hit found; None where none was asked for or it found nothing."""

    match: SpatialMatch | None
    location: Localization | None
    rank_score: float | None
    """What the hit is ordered by where results are re-ranked."""


class Ranker:
    """Answers described queries, each with no more than its efforts. Thread-safe."""

    def __init__(self, efforts: Efforts, threads: int, copies: Copies) -> None:
        """threads: that verify, of all searches together."""
        self._efforts = efforts
        self._copies = copies
        self._verifying = ThreadPoolExecutor(threads, "verify")

    def rank(
        self, served: ServedSnapshot, query: DescribedQuery, options: SearchOptions, timings: Timings
    ) -> tuple[list[Hit], bool]:
        """At most `limit` hits from `offset` on, and whether there are more: without the query itself, in the
        order of `ranking.reranking.rank_scores`: by distance, ties by image id, unless the search verifies or
        localises.

        With `expand` the distances are those to the expanded query: averaged with its nearest or, with
        `verify`, with those of them that were verified. Raises OptionUnavailable where the snapshot lacks
        what an option needs, and UnknownFolder.
        """
        with timings.measure("search"):
            background = served.word_distances if query.of_words else served.snapshot.background_distances
            scope = Scope.of(served, options, query.own_rows, background)
        search = _Search(served, query, options, scope, self._efforts, self._verifying, timings)
        descriptor = query.descriptor
        if options.expand and not options.verify:
            with timings.measure("search"):
                descriptor = expanded(served, descriptor, scope)
        found, findings = search.expanded_by(descriptor, np.empty(0, np.int64))
        if options.expand and options.verify:
            found, findings = search.expanded_by(descriptor, _verified_rows(found, findings))
        with timings.measure("search"):
            kept = self._kept(served, options, found.rows.tolist())
            end = options.offset + options.limit
            page = dict(islice(kept.items(), options.offset, end))
            places = np.fromiter(page, np.int64)
            hits = _to_hits(served, query, options, found[places], [findings[i] for i in page], background)
            return _with_copies(
                served, hits, [found.rows[np.array(hidden, np.int64)] for hidden in page.values()]
            ), len(kept) > end

    def _kept(
        self, served: ServedSnapshot, options: SearchOptions, rows: Sequence[int]
    ) -> dict[int, list[int]]:
        """By the place of each result that is shown, the places of those that it stands for."""
        if options.collapse:
            return self._copies.collapsed(served, rows)
        return {place: [] for place in range(len(rows))}

    def close(self) -> None:
        """Nothing may be ranked afterwards."""
        self._verifying.shutdown()


class _Search:
    """Searches, perhaps with several descriptors, and looks closer, in all within the efforts."""

    def __init__(
        self,
        served: ServedSnapshot,
        query: DescribedQuery,
        options: SearchOptions,
        scope: Scope,
        efforts: Efforts,
        pool: Executor,
        timings: Timings,
    ) -> None:
        self._served = served
        self._scope = scope
        self._options = options
        self._efforts = efforts
        self._timings = timings
        self._alike: AlikeRows | None = None
        self._verifier: CloserLook[SpatialMatch] | None = None
        self._localizer: CloserLook[Localization] | None = None
        if options.verify:
            self._alike = AlikeRows(served, query.local_features, scope)
            look = verifying(served, query, options.region, pool)
            self._verifier = CloserLook(look, efforts.verify.budget_s)
        if options.localize:
            self._localizer = CloserLook(localizing(served, query), efforts.localize.budget_s)

    def expanded_by(
        self, descriptor: NDArray[np.float32], neighbours: NDArray[np.int64]
    ) -> tuple[Neighbours, list[Finding]]:
        """By the descriptor averaged with these rows: re-ranked, and what was found in each."""
        with self._timings.measure("search"):
            matrix = self._served.snapshot.descriptors
            descriptor = average_expansion(descriptor, matrix[neighbours].astype(np.float32))
            # One more tells whether there is another page.
            reach = self._options.offset + self._options.limit + 1
            if self._options.collapse:
                reach *= COLLAPSED_REACH
            found = nearest_in_steps(self._served, descriptor, self._scope, self._first, reach)
            found, candidates = self._with_alike(found, descriptor, neighbours)
        rows = found.rows.tolist()
        locations = self._localize(rows)
        matches = self._verify(rows, candidates)
        if not (self._options.verify or self._options.localize):
            return found, [Finding(None, None, None)] * len(rows)
        scores = rank_scores(
            found.distances, _inliers(matches), _cosines(locations) if self._options.localize else None
        )
        order = np.argsort(-scores, kind="stable")
        return found[order], [Finding(matches[at], locations[at], float(scores[at])) for at in order]

    @property
    def _first(self) -> int:
        """How many hits to search for at least: the same for all pages, for a closer look takes the first."""
        verified = self._efforts.verify.candidates if self._options.verify else 0
        localized = self._efforts.localize.candidates if self._options.localize else 0
        return max(MAX_LIMIT + 1, verified, localized)

    def _with_alike(
        self, found: Neighbours, descriptor: NDArray[np.float32], neighbours: NDArray[np.int64]
    ) -> tuple[Neighbours, list[int]]:
        """Those found and, to verify, as many by local features; and the rows to verify, best first."""
        if self._alike is None:
            return found, []
        count = self._efforts.verify.candidates
        alike = self._alike.first(count, neighbours)
        both = with_rows(self._served, found, alike, descriptor, self._scope)
        return both, alternating(found.rows[:count], alike)

    def _localize(self, rows: Sequence[int]) -> list[Localization | None]:
        if self._localizer is None:
            return [None] * len(rows)
        with self._timings.measure("localize"):
            first = rows[: self._efforts.localize.candidates]
            known = self._localizer.at(first)
        return [*(known[row] for row in first), *[None] * (len(rows) - len(first))]

    def _verify(self, rows: Sequence[int], candidates: Sequence[int]) -> list[SpatialMatch | None]:
        if self._verifier is None:
            return [None] * len(rows)
        with self._timings.measure("verify"):
            known = self._verifier.at(candidates)
        return [known.get(row) for row in rows]


def _verified_rows(found: Neighbours, findings: Sequence[Finding]) -> NDArray[np.int64]:
    """Of the first EXPANSION_NEIGHBOURS: one wrong result cannot pull the query away."""
    verified = [finding.match is not None for finding in findings[:EXPANSION_NEIGHBOURS]]
    return found.rows[:EXPANSION_NEIGHBOURS][verified]


def _inliers(matches: Sequence[SpatialMatch | None]) -> NDArray[np.int64]:
    return np.array([match.inliers if match else 0 for match in matches], np.int64)


def _cosines(locations: Sequence[Localization | None]) -> NDArray[np.float64]:
    return np.array([location.cosine if location else np.nan for location in locations], np.float64)


def _to_hits(
    served: ServedSnapshot,
    query: DescribedQuery,
    options: SearchOptions,
    found: Neighbours,
    findings: Sequence[Finding],
    background: NDArray[np.float32],
) -> list[Hit]:
    """findings: one for each of the found."""
    scores = score(found.distances, background)
    records = served.snapshot.records(found.rows.tolist())
    hits = []
    for place, (record, finding) in enumerate(zip(records, findings, strict=True)):
        distance = float(found.distances[place])
        own_score = None if scores is None else float(scores[place])
        inliers = finding.match.inliers if finding.match else 0
        identical = _is_identical(query, options, record, distance)
        hits.append(
            Hit(
                record,
                distance,
                own_score,
                finding.match,
                finding.location.region if finding.location else None,
                likeness(identical, inliers, own_score, len(background)),
                rank_score=finding.rank_score,
            )
        )
    return hits


def _with_copies(
    served: ServedSnapshot, hits: Sequence[Hit], copies: Sequence[NDArray[np.int64]]
) -> list[Hit]:
    """copies: of each hit the rows that it stands for."""
    return [
        replace(hit, also=served.snapshot.records(rows.tolist())) if len(rows) else hit
        for hit, rows in zip(hits, copies, strict=True)
    ]


def _is_identical(
    query: DescribedQuery, options: SearchOptions, record: ImageRecord, distance: float
) -> bool:
    """Whether the image has the bytes of a photo that is looked for, or the pixels of the only one."""
    if options.region is None and any(photo.content_id == record.image_id for photo in query.positives):
        return True
    photo = query.only_whole_photo
    if photo is None or options.expand:  # then the distance is not the photo's own
        return False
    return same_pixels(distance, (photo.image.width, photo.image.height), (record.width, record.height))
