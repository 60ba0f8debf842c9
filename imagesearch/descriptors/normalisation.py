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


_SEED = 20140623


def or_nothing(descriptor: NDArray[np.float32]) -> NDArray[np.float32]:
    """The descriptor, shape=(D,); in place of an all-zero one a fixed direction drawn at random.

    Pictures of which nothing can be told are then far from all others and alike among themselves; the zero
    vector would be nearer to everything than most pictures are to each other.
    """
    if descriptor.any():
        return descriptor
    return l2_normalised(np.random.default_rng(_SEED).standard_normal(len(descriptor), np.float32))
