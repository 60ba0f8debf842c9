"""An inverted file: for each visual word, the pictures that hold it.

Sivic & Zisserman, "Video Google", ICCV 2003, section 5. Only pictures that share a word with the query are
touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.bof import Bag
from extractor_service.index.base import Neighbours


@dataclass(frozen=True, slots=True, eq=False)
class InvertedFile:
    """Postings in compressed sparse rows, one row a word. Immutable and thread-safe; 6 bytes a posting."""

    starts: NDArray[np.int64]
    """shape=(K + 1,): word k's postings are those from starts[k] up to starts[k + 1]."""
    rows: NDArray[np.int32]
    """shape=(P,): pictures, ascending within a word."""
    weights: NDArray[np.float16]
    """shape=(P,)"""
    count: int
    """Pictures, those without any word included."""

    def __len__(self) -> int:
        return self.count

    def cosines(self, query: Bag) -> NDArray[np.float32]:
        """shape=(count,): the cosine of the query with every picture."""
        first, end = self.starts[query.words], self.starts[query.words + 1]
        lengths = end - first
        # Every posting of every word of the query, one word after the other.
        postings = np.arange(lengths.sum()) + np.repeat(end - np.cumsum(lengths), lengths)
        products = np.repeat(query.weights, lengths) * self.weights[postings]
        return np.bincount(self.rows[postings], products, minlength=self.count).astype(np.float32)

    def search(self, query: Bag, k: int) -> Neighbours:
        """The K nearest, by L2 distance of the normalised vectors: one query, so shape=(1, k)."""
        distances = np.sqrt(np.maximum(2 - 2 * self.cosines(query), 0))
        nearest = np.argsort(distances, kind="stable")[:k]
        rows = np.full((1, k), -1, np.int64)
        found = np.full((1, k), np.inf, np.float32)
        rows[0, : len(nearest)], found[0, : len(nearest)] = nearest, distances[nearest]
        return Neighbours(rows, found)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        count = np.array(self.count, np.int64)
        return {"starts": self.starts, "rows": self.rows, "weights": self.weights, "count": count}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> InvertedFile:
        return cls(arrays["starts"], arrays["rows"], arrays["weights"], int(arrays["count"]))


def build_inverted_file(bags: Sequence[Bag], word_count: int) -> InvertedFile:
    """bags: one a picture, in order of row."""
    words = np.concatenate([bag.words for bag in bags] or [np.empty(0, np.int32)])
    weights = np.concatenate([bag.weights for bag in bags] or [np.empty(0, np.float32)])
    rows = np.repeat(np.arange(len(bags), dtype=np.int32), [len(bag.words) for bag in bags])
    by_word = np.argsort(words, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(words, minlength=word_count))))
    return InvertedFile(starts, rows[by_word], weights[by_word].astype(np.float16), len(bags))
