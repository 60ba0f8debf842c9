"""Visual words: the centroids that local features are assigned to.

Sivic & Zisserman, "Video Google: a text retrieval approach to object matching in videos", ICCV 2003, section
3. k-means and assignment by faiss; a large vocabulary assigns through an HNSW graph over its words
(approximate).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import InvalidOption

APPROXIMATE_FROM_WORDS = 4096
"""Below this, comparing a picture's 1,000 features with every word takes some milliseconds."""

HNSW_LINKS = 32
HNSW_SEARCH_BREADTH = 64

MAX_SAMPLE_PER_WORD = 256
"""faiss' own bound: more training points move a centroid little."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """K visual words. Immutable and thread-safe."""

    words: NDArray[np.float32]
    """shape=(K, D): the centroids, not normalised."""
    _index: faiss.Index = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self._index is None:
            object.__setattr__(self, "_index", _index_over(self.words))

    def __len__(self) -> int:
        return len(self.words)

    def assign(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """The nearest word of each vector. vectors: shape=(N, D). Returns shape=(N,)."""
        if not len(vectors):
            return np.empty(0, np.int64)
        _, nearest = self._index.search(np.ascontiguousarray(vectors), 1)
        return np.asarray(nearest[:, 0], dtype=np.int64)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """With the graph of a large vocabulary: a graph drawn again would assign a few features otherwise."""
        graph = {} if len(self) < APPROXIMATE_FROM_WORDS else {"graph": faiss.serialize_index(self._index)}
        return {"words": self.words} | graph

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Vocabulary:
        graph = arrays.get("graph")
        return cls(arrays["words"], None if graph is None else faiss.deserialize_index(graph))


def learn_vocabulary(
    vectors: NDArray[np.float32], word_count: int, seed: int = 0, iterations: int = 15
) -> Vocabulary:
    """k-means over local features of many pictures.

    vectors: shape=(N, D); a sample of at most MAX_SAMPLE_PER_WORD a word is used. Raises InvalidOption where
    there are fewer vectors than words.
    """
    if not 1 <= word_count <= len(vectors):
        raise InvalidOption(
            f"{word_count} visual words cannot be learnt from {len(vectors)} local features; "
            "index more photos or ask for fewer words."
        )
    clustering = faiss.Clustering(vectors.shape[1], word_count)
    clustering.niter, clustering.seed = iterations, seed
    clustering.min_points_per_centroid, clustering.max_points_per_centroid = 1, MAX_SAMPLE_PER_WORD
    quantiser = _index_over(np.empty((0, vectors.shape[1]), np.float32), word_count)
    clustering.train(np.ascontiguousarray(vectors), quantiser)
    words = faiss.vector_to_array(clustering.centroids).reshape(word_count, -1)
    return Vocabulary(np.array(words, np.float32))


def learn_affordable_vocabulary(
    vectors: NDArray[np.float32], word_count: int, vectors_per_word: int
) -> tuple[Vocabulary, str]:
    """Of fewer words where there are too few vectors, and a note that says so; of no vectors one word.

    vectors: shape=(N, D).
    """
    affordable = min(word_count, len(vectors) // vectors_per_word)
    if affordable == word_count:
        return learn_vocabulary(vectors, word_count), ""
    learnt = max(affordable, 1)
    note = f"Of {learnt:,} visual words instead of {word_count:,}: the photos have few local features."
    if affordable < 1:
        return Vocabulary(np.zeros((1, vectors.shape[1]), np.float32)), note
    return learn_vocabulary(vectors, affordable), note


def _index_over(words: NDArray[np.float32], word_count: int | None = None) -> faiss.Index:
    if (word_count or len(words)) < APPROXIMATE_FROM_WORDS:
        index = faiss.IndexFlatL2(words.shape[1])
    else:
        index = faiss.IndexHNSWFlat(words.shape[1], HNSW_LINKS)
        index.hnsw.efSearch = HNSW_SEARCH_BREADTH
    index.add(words)
    return index


_SEED = 20030101


def sampled_features(pictures: Sequence[NDArray[np.float32]], count: int) -> NDArray[np.float32]:
    """`count` local features or a few more, in random order, of each picture as large a share.

    pictures: of each its features, shape=(N, D); there is at least one. Returns shape=(M, D), the same for
    the same pictures.
    """
    rng = np.random.default_rng(_SEED)
    share = min(1.0, count / max(1, sum(map(len, pictures))))
    parts = [vectors[rng.permutation(len(vectors))[: ceil(share * len(vectors))]] for vectors in pictures]
    sample = np.concatenate(parts)
    return sample[rng.permutation(len(sample))]
