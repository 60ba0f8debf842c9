"""An inverted file: for each visual word, the pictures that hold it.

Sivic & Zisserman, "Video Google", ICCV 2003, section 5. Only pictures that share a word with the query are
touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.bof import Bag
from imagesearch.index.base import Neighbours
from imagesearch.index.matrix import DescriptorMatrix


@dataclass(frozen=True, slots=True, eq=False)
class InvertedFile:
    """The bags of some pictures in compressed sparse rows, one row a word. Immutable; 6 bytes a posting."""

    starts: NDArray[np.int64]
    """shape=(K + 1,): word k's postings are those from starts[k] up to starts[k + 1]."""
    rows: NDArray[np.int32]
    """shape=(P,): pictures, ascending within a word."""
    weights: NDArray[np.float16]
    """shape=(P,)"""
    squared_norms: NDArray[np.float32]
    """shape=(N,): of each picture's weights as they are rounded here."""

    def __len__(self) -> int:
        """Pictures."""
        return len(self.squared_norms)

    def products(self, query: Bag) -> NDArray[np.float64]:
        """shape=(N,): the dot product of the query with every picture."""
        first, end = self.starts[query.words], self.starts[query.words + 1]
        lengths = end - first
        # Every posting of every word of the query, one word after the other.
        postings = np.arange(lengths.sum()) + np.repeat(end - np.cumsum(lengths), lengths)
        parts = np.repeat(query.weights, lengths) * self.weights[postings]
        return np.asarray(np.bincount(self.rows[postings], parts, minlength=len(self)), np.float64)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "starts": self.starts,
            "rows": self.rows,
            "weights": self.weights,
            "squared_norms": self.squared_norms,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> InvertedFile:
        return cls(arrays["starts"], arrays["rows"], arrays["weights"], arrays["squared_norms"])


def build_inverted_file(bags: Iterable[Bag], word_count: int) -> InvertedFile:
    """bags: one a picture, in order of row."""
    words, rounded, sizes = [np.empty(0, np.int32)], [np.empty(0, np.float16)], []
    for bag in bags:
        words.append(bag.words)
        rounded.append(bag.weights.astype(np.float16))
        sizes.append(len(bag.words))
    all_words, weights = np.concatenate(words), np.concatenate(rounded)
    rows = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    squared_norms = np.bincount(rows, weights.astype(np.float64) ** 2, minlength=len(sizes))
    by_word = np.argsort(all_words, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(all_words, minlength=word_count))))
    return InvertedFile(starts, rows[by_word], weights[by_word], squared_norms.astype(np.float32))


class InvertedIndex:
    """The inverted files of a collection's segments. An `Index` of bags of features: exact, and sparse."""

    kind = "inverted"
    approximate = False

    def __init__(self, files: Sequence[InvertedFile], descriptors: DescriptorMatrix) -> None:
        """files: of each segment of `descriptors`, which tell rows that are deleted and the order of ties."""
        self._files = files
        self._descriptors = descriptors
        self._squared_norms = np.concatenate([file.squared_norms for file in files])

    def __len__(self) -> int:
        return self._descriptors.count

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """queries: shape=(Q, K), bags as dense vectors; see `Index`."""
        rows = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for number, query in enumerate(queries):
            words = np.flatnonzero(query).astype(np.int32)
            found, squared = self.nearest(Bag(words, query[words]), k, among)
            rows[number, : len(found)], distances[number, : len(found)] = found, np.sqrt(squared)
        return Neighbours(rows, distances)

    def close(self) -> None:
        """See `Index`; it has no threads of its own."""

    def nearest(
        self, query: Bag, k: int, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The min(k, N) nearest of N rows and their squared distances, ascending, ties by image id."""
        allowed = self._descriptors.live if among is None else among
        k = min(k, len(self._descriptors) if allowed is None else int(np.count_nonzero(allowed)))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0)
        own = float(np.square(query.weights, dtype=np.float64).sum())
        products = np.concatenate([file.products(query) for file in self._files])
        squared = np.maximum(own + self._squared_norms - 2 * products, 0)
        if allowed is not None:
            squared[~allowed] = np.inf
        rows = np.flatnonzero(squared <= np.partition(squared, k - 1)[k - 1])
        best = np.lexsort((self._descriptors.ranks(rows), squared[rows]))[:k]
        return rows[best], squared[rows[best]]
