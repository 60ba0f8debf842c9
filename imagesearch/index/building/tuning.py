"""The self-test of an approximate index against exact search, and the least effort that passes it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.index.approximate import ApproximateIndex, SearchEffort
from imagesearch.index.base import Index
from imagesearch.index.building.truth import K, Truth
from imagesearch.index.codes import Codes
from imagesearch.index.half_precision import widened
from imagesearch.index.kinds import SPENDING
from imagesearch.index.matrix import DescriptorMatrix

MIN_CANDIDATES = 20
MARGIN = 1.1
"""More candidates than the sampled queries needed, for those that were not sampled."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one effort came to."""

    effort: SearchEffort
    recall_at_10: float
    latency_ms: float
    """Median of one query."""


class SelfTest:
    """Sampled images of the collection as queries, and what exact search finds for them."""

    def __init__(self, descriptors: DescriptorMatrix, truth: Truth) -> None:
        self._descriptors = descriptors
        self._own_rows = truth.own_rows
        self._queries = widened(descriptors[truth.own_rows])
        self._true_rows = truth.nearest.rows[:, : K + 1]
        self._true_distances = truth.nearest.distances[:, : K + 1]

    def least_effort(self, kind: str, codes: Codes, target_recall: float) -> tuple[Trial | None, float]:
        """The fastest effort that reaches the target, None where there is none; and the best recall seen."""
        fastest: Trial | None = None
        best_recall = 0.0
        for trial in self._trials(kind, codes, target_recall):
            best_recall = max(best_recall, trial.recall_at_10)
            if trial.recall_at_10 < target_recall:
                continue
            if fastest is not None and trial.latency_ms >= fastest.latency_ms:
                break  # more visits save candidates no longer
            fastest = trial
        return fastest, best_recall

    def try_effort(self, kind: str, codes: Codes, effort: SearchEffort) -> Trial:
        index = ApproximateIndex(kind, codes, self._descriptors, effort)
        return Trial(effort, *measure(index, self._queries, self._true_distances, skip=1))

    def _trials(self, kind: str, codes: Codes, target_recall: float) -> Iterator[Trial]:
        most, all_visits = SPENDING[kind].max_candidates, SPENDING[kind].visits
        for visits in all_visits:
            places = self._places(codes, visits, most)
            wanted = places[math.ceil(min(target_recall, 1.0) * len(places)) - 1]
            if np.isinf(wanted) and visits != all_visits[-1]:
                continue  # what is visited does not hold them
            count = most if np.isinf(wanted) else int(MARGIN * (wanted + 1))
            # Codes may find less when they are asked for fewer.
            while True:
                count = min(max(count, MIN_CANDIDATES), most)
                trial = self.try_effort(kind, codes, SearchEffort(count, visits))
                yield trial
                if trial.recall_at_10 >= target_recall or count == most:
                    break
                count *= 2

    def _places(self, codes: Codes, visits: int, most: int) -> NDArray[np.float64]:
        """Where in the list of candidates each true neighbour comes, ascending; inf where it does not."""
        places = np.full((len(self._queries), K), np.inf)
        for query, own_row, true, row_places in zip(
            self._queries, self._own_rows, self._true_rows, places, strict=True
        ):
            found = codes.candidates(query, min(most, len(self._descriptors)), visits)
            wanted = true[true != own_row][:K]
            at_place, which = np.nonzero(found[:, np.newaxis] == wanted)
            row_places[which] = at_place
        return np.sort(places, axis=None)


def measure(
    index: Index, queries: NDArray[np.float32], true_distances: NDArray[np.float32], skip: int = 0
) -> tuple[float, float]:
    """recall@(k - skip) and the median latency in milliseconds, one query at a time.

    true_distances: shape=(Q, k), ascending; the first `skip` of each are left out of the count.
    A found row counts when it is no further than the true k-th: equal distances are as good as equal rows.
    """
    k = true_distances.shape[1]
    hits, latencies_ms = 0, []
    for query, true in zip(queries, true_distances, strict=True):
        start = time.perf_counter()
        found = index.search(query[None], k).distances[0]
        latencies_ms.append((time.perf_counter() - start) * 1e3)
        hits += int(np.count_nonzero(found[skip:] <= true[-1] + 1e-6))
    return hits / (len(queries) * (k - skip)), float(np.median(latencies_ms))
