"""The rotation in front of the codes: the collection's principal directions."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

OVERSAMPLING = 32
POWER_ITERATIONS = 3


def principal_directions(
    sample: NDArray[np.float32], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean, shape=(D,), and the `count` directions of largest variance, shape=(count, D), orthonormal.

    sample: shape=(N, D). By randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4):
    for 4096 dimensions a few products instead of minutes of eigenvalues.
    """
    mean = sample.mean(axis=0)
    centred = sample - mean
    width = min(count + OVERSAMPLING, *centred.shape)
    basis = np.linalg.qr(rng.standard_normal((centred.shape[1], width), dtype=np.float32))[0]
    for _ in range(POWER_ITERATIONS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    projected = centred @ basis
    _, vectors = np.linalg.eigh(projected.T @ projected)
    return mean, np.ascontiguousarray((basis @ vectors[:, ::-1][:, :count]).T, dtype=np.float32)


def rotation(
    sample: NDArray[np.float32], count: int, rng: np.random.Generator, balanced: bool = False
) -> faiss.LinearTransform:
    """The transform x → directions · (x − mean) as faiss keeps it.

    balanced: turned once more, at random, so that all components vary alike. Each part of a code has as many
    bits, and those spent on directions in which nothing varies are lost (Jégou, Perronnin, Douze, Sánchez,
    Pérez & Schmid 2012, "Aggregating local image descriptors into compact codes", section 3.3).
    """
    mean, directions = principal_directions(sample, count, rng)
    if balanced:
        turn = np.linalg.qr(rng.standard_normal((len(directions), len(directions))))[0]
        directions = np.ascontiguousarray(turn.astype(np.float32) @ directions)
    transform = faiss.LinearTransform(sample.shape[1], count, True)
    faiss.copy_array_to_vector(directions.ravel(), transform.A)
    faiss.copy_array_to_vector(-directions @ mean, transform.b)
    transform.is_trained = True
    return transform
