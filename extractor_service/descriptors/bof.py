"""Bags of features: a picture as the words its local features are assigned to, weighed as in text retrieval.

Sivic & Zisserman, "Video Google", ICCV 2003, section 4:

    t_k = (n_kd / n_d) log(N / N_k)

where n_kd counts word k in picture d, n_d all words of d, N_k the pictures that hold k among N. Section 4.1:
the most frequent words are stopped, here by an idf of zero. Vectors are L2-normalised and compared by cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """A sparse vector over the words."""

    words: NDArray[np.int32]
    """shape=(W,), ascending, distinct."""
    weights: NDArray[np.float32]
    """shape=(W,), > 0, L2-normalised; W is 0 for a picture without features."""


@dataclass(frozen=True, slots=True, eq=False)
class BagOfFeatures:
    """A vocabulary with the weight of each word. Immutable and thread-safe."""

    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    """shape=(K,): log(N / N_k); 0 for stopped words and for words that no picture held."""

    def bag(self, vectors: NDArray[np.float32]) -> Bag:
        """vectors: shape=(N, D), one picture's local features."""
        words, counts = np.unique(self.vocabulary.assign(vectors), return_counts=True)
        # n_d is left out: it is a common factor, undone by the normalisation.
        weights = counts * self.idf[words]
        kept = weights > 0
        weights = weights[kept] / max(float(np.linalg.norm(weights)), 1e-12)
        return Bag(words[kept].astype(np.int32), weights.astype(np.float32))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {**self.vocabulary.to_arrays(), "idf": self.idf}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> BagOfFeatures:
        return cls(Vocabulary.from_arrays(arrays), arrays["idf"])


def learn_weights(
    vocabulary: Vocabulary, pictures: Sequence[NDArray[np.float32]], stopped_share: float = 0.0
) -> BagOfFeatures:
    """Counts in how many pictures each word occurs.

    pictures: the local features of each, shape=(N_i, D). stopped_share: share of the words, those that occur
    in the most pictures, that count nothing; Video Google stops 0.05.
    """
    held_by = np.zeros(len(vocabulary), np.int64)
    for vectors in pictures:
        held_by[np.unique(vocabulary.assign(vectors))] += 1
    idf = np.log(max(len(pictures), 1) / np.maximum(held_by, 1))
    idf[held_by == 0] = 0
    stopped = np.argsort(-held_by, kind="stable")[: round(stopped_share * len(vocabulary))]
    idf[stopped] = 0
    return BagOfFeatures(vocabulary, idf.astype(np.float32))
