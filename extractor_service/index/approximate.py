"""Approximate search: compact codes find candidates, the stored descriptors put them in order.

The codes are those of product quantisation (Jégou, Douze & Schmid 2011, section III), 4 bits a part so that
the tables of distances fit into vector registers (André, Kermarrec & Le Scouarnec 2015, "fast scan"), of
the descriptors after a PCA rotation; in front of them, for large collections, an inverted file (the same
paper, section IV). All of it is faiss'. The exact distances of the candidates come from the memory-mapped
float16 descriptors, so what is approximate is only which images are considered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from extractor_service.index.base import Neighbours
from extractor_service.index.half_precision import nearest_rows
from extractor_service.index.matrix import DescriptorMatrix


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """What is spent on one query; more finds more."""

    candidates: int
    """Images whose exact distance is computed."""
    visits: int = 0
    """Inverted lists visited (ivf) or nodes kept open (hnsw); 0 where the codes are scanned whole."""


class ApproximateIndex:
    """Two stages over one descriptor matrix. Thread-safe: a search changes nothing."""

    approximate = True

    def __init__(
        self, kind: str, codes: faiss.Index, descriptors: DescriptorMatrix, effort: SearchEffort
    ) -> None:
        """codes: over every row of `descriptors`, deleted ones too."""
        self.kind = kind
        self.effort = effort
        self._codes = codes
        self._descriptors = descriptors

    def __len__(self) -> int:
        return self._descriptors.count

    def search(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """See `Index`. Rows the codes overlook are missing; the distances of those found are exact."""
        rows = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for number, query in enumerate(queries):
            found, squared = self._rank(query, self._candidates(query, max(self.effort.candidates, k)), k)
            rows[number, : len(found)], distances[number, : len(found)] = found, np.sqrt(squared)
        return Neighbours(rows, distances)

    def _candidates(self, query: NDArray[np.float32], wanted: int) -> NDArray[np.int64]:
        """Rows by the codes alone, about as many as wanted or as the codes can tell.

        Codes know nothing of deletions: where deleted images crowd around a query, it looks further.
        """
        count = wanted
        while True:
            count = min(count, len(self._descriptors))
            _, found = self._codes.search(query[np.newaxis], count, params=self._search_parameters())
            rows = found[0][found[0] >= 0]
            images = self._descriptors.without_deleted(rows)
            if 2 * len(images) >= wanted or len(rows) < count or count == len(self._descriptors):
                return images
            count *= 4

    def _search_parameters(self) -> Any:
        if self.kind == "ivf":
            return faiss.SearchParametersPreTransform(
                index_params=faiss.SearchParametersIVF(nprobe=self.effort.visits)
            )
        if self.kind == "hnsw":
            return faiss.SearchParametersPreTransform(
                index_params=faiss.SearchParametersHNSW(efSearch=self.effort.visits)
            )
        return None

    def _rank(
        self, query: NDArray[np.float32], rows: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        rows = np.sort(rows)  # the memory-mapped pages are then read in order
        places, squared = nearest_rows(self._descriptors[rows], query, len(rows))
        rows = rows[places]
        best = np.lexsort((self._descriptors.ranks(rows), squared))[:k]
        return rows[best], squared[best]
