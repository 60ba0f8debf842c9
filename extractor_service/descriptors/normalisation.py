"""The two normalisations that nearly every descriptor ends with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def l2_normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit length along the last axis; an all-zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    normalised = np.zeros_like(vectors)
    np.divide(vectors, norms, out=normalised, where=norms > 0)
    return normalised


def signed_power(vectors: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """sign(v) |v|^exponent, element by element: below 1 it tempers bursts of repeated features.

    Perronnin, Sánchez & Mensink, "Improving the Fisher kernel", ECCV 2010, section 3.2.
    """
    return np.asarray(np.sign(vectors) * np.abs(vectors) ** exponent, dtype=np.float32)
