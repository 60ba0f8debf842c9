"""Principal axes: the orthonormal directions of a sample's largest energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
