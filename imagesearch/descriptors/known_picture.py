"""A picture that every program can draw, to tell whether a network still describes as it did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.base import Descriptor
from imagesearch.errors import ModelDamaged

NORM_TOLERANCE = 1e-3
"""float32 rows of some thousand values are normalised to within 1e-6; a broken network is off by far more."""
MAX_DISTANCE = 0.2
"""Between a network's vectors and its own at another precision or on another processor; those of different
pictures are farther apart."""


def known_picture() -> NDArray[np.uint8]:
    """shape=(256, 256, 3): red grows to the right, green downwards, blue in squares of 32 pixels."""
    y, x = np.mgrid[0:256, 0:256]
    squares = ((x // 32 + y // 32) % 2) * 255
    return np.stack([x, y, squares], axis=-1).astype(np.uint8)


def describe_known(network: Descriptor, expected: NDArray[np.floating] | None) -> NDArray[np.float32]:
    """The vectors of the known picture, shape=(R, C). It warms the network up, too.

    expected: what the store's photos were described with made of it; None where that was not kept. Raises
    ModelDamaged for nonsense, and for other vectors than expected.
    """
    vectors = network.describe([network.input_plan.prepare(known_picture())])[0]
    check_norms(vectors, network.dim)
    if expected is not None and not _are_near(vectors, expected):
        raise ModelDamaged("The network describes a known picture otherwise than it did; convert it again.")
    return vectors


def check_norms(vectors: NDArray[np.float32], dim: int) -> None:
    """Raises ModelDamaged where they are not `dim` values each of length 1."""
    norms = np.linalg.norm(vectors, axis=1)
    # A norm that is not a number fails the comparison as well.
    if vectors.shape[1:] != (dim,) or not (np.abs(norms - 1) <= NORM_TOLERANCE).all():
        raise ModelDamaged("The network does not describe what is known as it should; convert it again.")


def _are_near(vectors: NDArray[np.float32], expected: NDArray[np.floating]) -> bool:
    if vectors.shape != expected.shape:
        return False
    return bool((np.linalg.norm(vectors - expected.astype(np.float32), axis=1) <= MAX_DISTANCE).all())
