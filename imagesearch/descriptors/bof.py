"""Bags of features: a picture as the words its local features are assigned to, weighed as in text retrieval.

Sivic & Zisserman, "Video Google", ICCV 2003, section 4:

    t_k = (n_kd / n_d) log((N + 1) / N_k)

where n_kd counts word k in picture d, n_d all words of d, N_k the pictures that hold k among N. The paper's
formula lacks the 1, without which a few photos of one thing would have no words at all. Section 4.1:
the most frequent words are stopped, here by an idf of zero. Vectors are L2-normalised and compared by cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.vocabulary import Vocabulary, learn_affordable_vocabulary, sampled_features

WORDS = 20_000

FEATURES_PER_WORD = 8
"""Local features that k-means learns a word from."""


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """A sparse vector over the words."""

    words: NDArray[np.int32]
    """shape=(W,), ascending, distinct."""
    weights: NDArray[np.float32]
    """shape=(W,), > 0, L2-normalised; W >= 1."""


@dataclass(frozen=True, slots=True, eq=False)
class BagOfFeatures:
    """A vocabulary with the weight of each word. An `Encoding`."""

    vocabulary: Vocabulary
    idf: NDArray[np.float32]
    """shape=(K,): log((N + 1) / N_k), 0 for stopped words."""

    @property
    def dim(self) -> int:
        """K + 1: the last is the word of pictures that hold no other, so that they find each other."""
        return len(self.vocabulary) + 1

    def bag(self, vectors: NDArray[np.float32]) -> Bag:
        """vectors: shape=(N, C), one picture's local features."""
        words, counts = np.unique(self.vocabulary.assign(vectors), return_counts=True)
        # n_d is left out: it is a common factor, undone by the normalisation.
        weights = counts * self.idf[words]
        kept = weights > 0
        if not kept.any():
            return Bag(np.array([self.dim - 1], np.int32), np.ones(1, np.float32))
        weights = weights[kept] / np.linalg.norm(weights)
        return Bag(words[kept].astype(np.int32), weights.astype(np.float32))

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The bag as a dense vector, shape=(K + 1,)."""
        bag = self.bag(vectors)
        dense = np.zeros(self.dim, np.float32)
        dense[bag.words] = bag.weights
        return dense

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {**self.vocabulary.to_arrays(), "idf": self.idf}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> BagOfFeatures:
        return cls(Vocabulary.from_arrays(arrays), arrays["idf"])


def learn_bof(pictures: Sequence[NDArray[np.float32]], word_count: int = WORDS) -> tuple[BagOfFeatures, str]:
    """Learns the words and their weights, and says so where the pictures have too few features for all words.

    pictures: the local features of each, shape=(N_i, C).
    """
    features = sampled_features(pictures, FEATURES_PER_WORD * word_count)
    vocabulary, note = learn_affordable_vocabulary(features, word_count, FEATURES_PER_WORD)
    return learn_weights(vocabulary, pictures), note


def learn_weights(
    vocabulary: Vocabulary, pictures: Sequence[NDArray[np.float32]], stopped_share: float = 0.0
) -> BagOfFeatures:
    """Counts in how many pictures each word occurs; one that occurs in none counts as if it did in one.

    pictures: the local features of each, shape=(N_i, D). stopped_share: share of the words, those that occur
    in the most pictures, that count nothing; Video Google stops 0.05.
    """
    held_by = np.zeros(len(vocabulary), np.int64)
    for vectors in pictures:
        held_by[np.unique(vocabulary.assign(vectors))] += 1
    idf = np.log((len(pictures) + 1) / np.maximum(held_by, 1))
    stopped = np.argsort(-held_by, kind="stable")[: round(stopped_share * len(vocabulary))]
    idf[stopped] = 0
    return BagOfFeatures(vocabulary, idf.astype(np.float32))
