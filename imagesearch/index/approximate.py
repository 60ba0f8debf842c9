"""Approximate search: compact codes find candidates, the stored descriptors put them in order.

Most codes are those of product quantisation (Jégou, Douze & Schmid 2011, section III), 4 bits a part so that
the tables of distances fit into vector registers (André, Kermarrec & Le Scouarnec 2015, "fast scan"), of the
descriptors after a PCA rotation. "opq" learns a further rotation that balances the parts (Ge, He, Ke & Sun
2013); "ivf" puts an inverted file in front (Jégou et al., section IV). "hnsw" is a graph over components of 8
bits (Malkov & Yashunin 2016), "flann" are trees. All of it is faiss' and OpenCV's. The distances of the
candidates come from the memory-mapped float16 descriptors, so what is approximate is only which images are
considered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.index.base import Neighbours
from imagesearch.index.codes import Codes
from imagesearch.index.half_precision import nearest_among
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import Conditions, MilvusCodes


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """What is spent on one query; more finds more."""

    candidates: int
    """Images whose exact distance is computed."""
    visits: int = 0
    """Inverted lists (ivf) or leaves (flann) visited, nodes kept open (hnsw); 0 for those that scan all."""


class ApproximateIndex:
    """Two stages over one descriptor matrix. Thread-safe: a search changes nothing."""

    approximate = True

    def __init__(
        self,
        kind: str,
        codes: Codes,
        descriptors: DescriptorMatrix,
        effort: SearchEffort,
        selective: bool = False,
    ) -> None:
        """codes: over every row of `descriptors`, deleted ones too. selective: whether they give only rows
        that the filter lets through, but for a few."""
        self.kind = kind
        self.effort = effort
        self._codes = codes
        self._descriptors = descriptors
        self._selective = selective

    def within(self, where: Conditions) -> ApproximateIndex:
        """That looks only among what meets the conditions, where the codes can do that: Milvus'."""
        if not isinstance(self._codes, MilvusCodes):
            return self
        codes = self._codes.within(where)
        return ApproximateIndex(self.kind, codes, self._descriptors, self.effort, selective=True)

    def __len__(self) -> int:
        return self._descriptors.count

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """See `Index`. Rows the codes overlook are missing; the distances of those found are exact."""
        rows = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for number, query in enumerate(queries):
            candidates = self._candidates(query, max(self.effort.candidates, k), among)
            found, squared = nearest_among(self._descriptors, candidates, query, k)
            rows[number, : len(found)], distances[number, : len(found)] = found, np.sqrt(squared)
        return Neighbours(rows, distances)

    def close(self) -> None:
        """See `Index`; it has no threads of its own."""

    def _candidates(
        self, query: NDArray[np.float32], wanted: int, among: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Rows by the codes alone, about as many as wanted or as the codes can tell.

        Codes know nothing of deletions and filters. It asks for as many more as the filter leaves out, and
        looks further where images that may not be found crowd around the query.
        """
        allowed = self._descriptors.live if among is None else among
        count = wanted
        if among is not None:
            wanted = min(wanted, int(among.sum()))
            count = wanted if self._selective else wanted * len(among) // max(1, int(among.sum()))
        while True:
            count = min(count, len(self._descriptors))
            rows = self._codes.candidates(query, count, self.effort.visits)
            images = rows if allowed is None else rows[allowed[rows]]
            if 2 * len(images) >= wanted or len(rows) < count or count == len(self._descriptors):
                return images
            count *= 4
