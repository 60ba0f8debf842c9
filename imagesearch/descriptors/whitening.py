"""PCA-whitening: directions in which every picture varies together stop dominating the distance.

Jégou & Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA and whitening",
ECCV 2012, section 3.2:   w(x) = diag(λ1^(-1/2), …, λd^(-1/2)) Pᵀ (x − μ), L2-normalised,

with the d largest eigenvalues λ and the eigenvectors P of the covariance of a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.errors import InvalidOption

SAMPLES_PER_DIMENSION = 2
"""Fewer make the small eigenvalues, and so the largest factors of the whitening, noise."""


@dataclass(frozen=True, slots=True, eq=False)
class PcaWhitening:
    """Immutable and thread-safe."""

    mean: NDArray[np.float32]
    """shape=(D,)"""
    projection: NDArray[np.float32]
    """shape=(D, d): eigenvectors over the roots of their eigenvalues, largest eigenvalue first."""

    @property
    def dim(self) -> int:
        return int(self.projection.shape[1])

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """vectors: shape=(N, D). Returns shape=(N, d), rows L2-normalised; an all-zero row stays zero."""
        centred: NDArray[np.float32] = vectors - self.mean
        whitened = centred @ self.projection
        whitened[~vectors.any(axis=1)] = 0
        return l2_normalised(whitened)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"mean": self.mean, "projection": self.projection}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> PcaWhitening:
        return cls(arrays["mean"], arrays["projection"])


def learn_whitening(vectors: NDArray[np.float32], dim: int) -> PcaWhitening:
    """vectors: shape=(N, D), a sample of L2-normalised vectors.

    Raises InvalidOption where dim is not within 1 to D or there are fewer than SAMPLES_PER_DIMENSION * dim
    vectors.
    """
    count, full_dim = vectors.shape
    if not 1 <= dim <= full_dim:
        raise InvalidOption(f"Whitening to {dim} dimensions is not possible; there are {full_dim}.")
    if count < SAMPLES_PER_DIMENSION * dim:
        raise InvalidOption(
            f"Whitening to {dim} dimensions needs {SAMPLES_PER_DIMENSION * dim} vectors to learn from; "
            f"there are {count}. Ask for fewer dimensions or index more photos."
        )
    mean = vectors.mean(axis=0, dtype=np.float64)
    axes, variances = principal_axes(vectors - mean, dim)
    # A channel that is dead in the whole sample has no variance: its factor is bounded.
    bounded = np.maximum(variances, 1e-8 * max(variances[0], 1e-30))
    return PcaWhitening(mean.astype(np.float32), (axes / np.sqrt(bounded)).astype(np.float32))


def principal_axes(
    vectors: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first `count` eigenvectors of XᵀX / N, shape=(D, count), and their eigenvalues, descending.

    vectors: X, shape=(N, D), count <= min(N, D); centred by the caller where the covariance is meant. Of
    fewer vectors than dimensions the smaller XXᵀ is decomposed: v = Xᵀu / |Xᵀu|.
    """
    number, dim = vectors.shape
    wide = number < dim
    gram = vectors @ vectors.T if wide else vectors.T @ vectors
    energies, axes = np.linalg.eigh(gram.astype(np.float64) / number)
    energies, axes = np.maximum(energies[::-1][:count], 0), axes[:, ::-1][:, :count]
    if wide:
        axes = vectors.T.astype(np.float64) @ axes
        axes /= np.maximum(np.linalg.norm(axes, axis=0), 1e-30)
    return axes, energies
