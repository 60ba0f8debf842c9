"""Where the query's object is in the first hits, looked up once a row and within the budget of one search."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from imagesearch.conv_maps.storage import SegmentedMaps
from imagesearch.errors import OptionUnavailable
from imagesearch.ranking.localization import Localization
from imagesearch.ranking.reranking import localize_candidates


class RowLocalizer:
    """Of one search, which may ask about a row again after it has expanded the query."""

    def __init__(
        self, served: ServedSnapshot, queries: Sequence[NDArray[np.float32]], budget_s: float
    ) -> None:
        """queries: MAC vectors, shape=(C,), of the photos to look for. Raises OptionUnavailable."""
        self._maps = conv_maps_of(served)
        self._queries = queries
        self._left_s = budget_s
        self._known: dict[int, Localization | None] = {}

    def localize(self, rows: Sequence[int]) -> list[Localization | None]:
        """None for a row where nothing answers the query, and for one not reached in time."""
        started = time.monotonic()
        new = [row for row in rows if row not in self._known]
        loads = [partial(self._maps.codes, row) for row in new]
        found = localize_candidates(self._queries, loads, self._left_s)
        self._known |= zip(new, found, strict=True)
        self._left_s -= time.monotonic() - started
        return [self._known[row] for row in rows]


def conv_maps_of(served: ServedSnapshot) -> SegmentedMaps:
    """Raises OptionUnavailable where there are none."""
    if served.snapshot.conv_maps is None:
        raise OptionUnavailable(
            "This index holds no convolutional maps, so results cannot be localised; index the photos again "
            "with INDEXER_LOCALIZATION=true and build --rebuild."
        )
    return served.snapshot.conv_maps
