"""A closer look at the first hits: whether local features agree, and where the query's object is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.described_query import DescribedQuery
from imagesearch.pictures.region import Region
from imagesearch.ranking.localization import Localization
from imagesearch.ranking.reranking import localize_candidates, verify_candidates
from imagesearch.ranking.verification import SpatialMatch

Found = TypeVar("Found", SpatialMatch, Localization)
Look = Callable[[Sequence[int], float], Iterable[Found | None]]
"""From rows and a budget in seconds to what was found in each, in order."""


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


class CloserLook(Generic[Found]):
    """Of one search, which may ask about a row again after it has expanded the query: each is looked at once,
    all within one budget."""

    def __init__(self, look: Look[Found], budget_s: float) -> None:
        self._look: Look[Found] = look
        self._left_s = budget_s
        self._known: dict[int, Found | None] = {}

    def at(self, rows: Iterable[int]) -> dict[int, Found | None]:
        """What is known by now, of these rows and of earlier ones, by row.

        None where nothing was found, and for a row not reached in time.
        """
        started = time.monotonic()
        new = [row for row in rows if row not in self._known]
        self._known |= zip(new, self._look(new, self._left_s), strict=True)
        self._left_s -= time.monotonic() - started
        return self._known


def verifying(
    served: ServedSnapshot, query: DescribedQuery, region: Region | None, pool: Executor
) -> Look[SpatialMatch]:
    """region: that the query was cut from. Raises OptionUnavailable."""
    table, photos = served.local_features(), query.local_features

    def look(rows: Sequence[int], budget_s: float) -> Iterable[SpatialMatch | None]:
        loads = [partial(table.features, row) for row in rows]
        matches = verify_candidates(photos, loads, budget_s, pool)
        return (_in_whole_photo(match, region) for match in matches)

    return look


def localizing(served: ServedSnapshot, query: DescribedQuery) -> Look[Localization]:
    """Raises OptionUnavailable."""
    table, vectors = served.conv_maps(), query.mac_vectors

    def look(rows: Sequence[int], budget_s: float) -> Iterable[Localization | None]:
        return localize_candidates(vectors, [partial(table.codes, row) for row in rows], budget_s)

    return look


def _in_whole_photo(match: SpatialMatch | None, region: Region | None) -> SpatialMatch | None:
    """The query's points as fractions of the photo that its region was cut from."""
    if match is None or region is None:
        return match
    origin = np.array([region.x, region.y], np.float32)
    size = np.array([region.width, region.height], np.float32)
    return replace(match, query_points=origin + match.query_points * size)
