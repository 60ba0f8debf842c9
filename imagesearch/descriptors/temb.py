"""Triangulation embedding with democratic aggregation.

Jégou & Zisserman, "Triangulation embedding and democratic aggregation for image search", CVPR 2014. Section
3: a local feature x is described by its directions to all |C| words, whitened:

    r_k(x) = (x − c_k) / ||x − c_k||,   φΔ(x) = Σ^(-1/2) (R(x) − R0), L2-normalised

without the first D components of largest variance, which the shared origin of the directions correlates.
Section 4: the features of a picture are summed with weights λ that make each contribute alike to the
picture's similarity with itself,

    ψd(X) = Σ_x λ_x φΔ(x),   λ_x Σ_y λ_y <φΔ(x), φΔ(y)>₊ = const,

found by a modified Sinkhorn iteration. Section 5: rotated by a PCA and raised to a power (RN), at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised, or_nothing
from imagesearch.descriptors.reduction import Reduction, learn_affordable_reduction
from imagesearch.descriptors.vocabulary import learn_affordable_vocabulary, sampled_features
from imagesearch.errors import InvalidOption

WORDS = 16
LEARNING_FEATURES = 60_000
REDUCTION_PICTURES = 1_536
RN_EXPONENT = 1.0
"""The paper's is 0.5. Learnt on the collection itself, where the last axes are those of few pictures, it
loses: on Holidays 0.690 mAP instead of 0.726 of 256 dimensions."""

SINKHORN_ITERATIONS = 10
SINKHORN_EXPONENT = 0.5
"""Both as in the paper, section 4.3: damped, the iteration does not swing."""


@dataclass(frozen=True, slots=True, eq=False)
class TriangulationEmbedding:
    """φΔ. Immutable and thread-safe."""

    words: NDArray[np.float32]
    """shape=(C, D)"""
    mean: NDArray[np.float32]
    """R0, shape=(C * D,)"""
    projection: NDArray[np.float32]
    """shape=(C * D, (C - 1) * D): whitening, first D components left out."""

    @property
    def dim(self) -> int:
        return int(self.projection.shape[1])

    def embed(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """vectors: shape=(N, D). Returns shape=(N, dim), rows L2-normalised."""
        centred: NDArray[np.float32] = directions(vectors, self.words) - self.mean
        return l2_normalised(centred @ self.projection)

    def describe(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """ψd(φΔ): one picture's local features to shape=(dim,), L2-normalised; zero for none."""
        embedded = self.embed(vectors)
        return l2_normalised(democratic_weights(embedded @ embedded.T) @ embedded)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"words": self.words, "mean": self.mean, "projection": self.projection}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> TriangulationEmbedding:
        return cls(arrays["words"], arrays["mean"], arrays["projection"])


def directions(vectors: NDArray[np.float32], words: NDArray[np.float32]) -> NDArray[np.float32]:
    """R(x): shape=(N, C * D), the unit vectors from each word to each of N local features."""
    return l2_normalised(vectors[:, None, :] - words[None, :, :]).reshape(len(vectors), words.size)


def learn_triangulation(vectors: NDArray[np.float32], words: NDArray[np.float32]) -> TriangulationEmbedding:
    """Learns R0 and the whitening.

    vectors: shape=(N, D), local features of many pictures. Raises InvalidOption where there are too few for a
    covariance of full rank or fewer than two words.
    """
    if len(words) < 2 or len(vectors) <= words.size:
        raise InvalidOption(
            f"A triangulation embedding of {len(words)} words needs at least two words "
            f"and more than {words.size} local features to learn from; there are {len(vectors)}."
        )
    seen = directions(vectors, words)
    mean = seen.mean(axis=0)
    centred = seen - mean
    variances, axes = np.linalg.eigh((centred.T @ centred / len(seen)).astype(np.float64))
    # eigh ascends: the D of largest variance are the last. Each word's directions are close to a common
    # shift of one sphere, so some variances may vanish; they are bounded below.
    kept = slice(len(variances) - words.shape[1] - 1, None, -1)
    bounded = np.maximum(variances[kept], 1e-7 * variances[-1])
    return TriangulationEmbedding(words, mean, (axes[:, kept] / np.sqrt(bounded)).astype(np.float32))


def democratic_weights(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """λ, shape=(N,). gram: shape=(N, N), the features' dot products; negative ones count as 0."""
    kernel = np.maximum(gram, 0)
    weights = np.ones(len(kernel), np.float32)
    for _ in range(SINKHORN_ITERATIONS):
        contributions = weights * (kernel @ weights)
        weights /= np.maximum(contributions, 1e-12) ** SINKHORN_EXPONENT
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class Temb:
    """An `Encoding`: ψd(φΔ), then RN where it was learnt."""

    embedding: TriangulationEmbedding
    reduction: Reduction | None = None

    @property
    def dim(self) -> int:
        return self.embedding.dim if self.reduction is None else self.reduction.dim

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Encoding`; of no features `or_nothing`'s direction."""
        described = self.embedding.describe(vectors)
        return or_nothing(described if self.reduction is None else self.reduction.apply(described))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return self.embedding.to_arrays() | (self.reduction.to_arrays() if self.reduction else {})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Temb:
        return cls(TriangulationEmbedding.from_arrays(arrays), Reduction.from_arrays(arrays))


def learn_temb(pictures: Sequence[NDArray[np.float32]], word_count: int = WORDS) -> tuple[Temb, str]:
    """Learns words, whitening and rotation, and says so where there are too few features or pictures.

    pictures: the local features of each, shape=(N_i, C). Raises InvalidOption where they are too few for two
    words.
    """
    features = sampled_features(pictures, LEARNING_FEATURES)
    vocabulary, note = learn_affordable_vocabulary(features, word_count, features.shape[1] + 1)
    embedding = learn_triangulation(features, vocabulary.words)
    described = np.stack([embedding.describe(vectors) for vectors in pictures[:REDUCTION_PICTURES]])
    reduction, other_note = learn_affordable_reduction(described, RN_EXPONENT)
    return Temb(embedding, reduction), " ".join(filter(None, (note, other_note)))
