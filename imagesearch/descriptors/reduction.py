"""Fewer dimensions for the long vectors of local-feature methods: a rotation to the principal axes.

Jégou & Zisserman, "Triangulation embedding and democratic aggregation for image search", CVPR 2014, section
5.2 (RN): rotate, raise to a power, normalise. With a power of 1 it is the PCA of Jégou et al., "Aggregating
local descriptors into a compact image representation", CVPR 2010, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised, signed_power
from imagesearch.descriptors.whitening import principal_axes
from imagesearch.errors import InvalidOption

MAX_DIM = 512
MIN_DIM = 128
PICTURES_PER_AXIS = 3
"""Of fewer, the last axes are those of single pictures: on Holidays 512 of 811 lose what 256 keep."""


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """Immutable and thread-safe."""

    axes: NDArray[np.float32]
    """shape=(D, d), columns orthonormal but for rounding to float16, in descending order of energy."""
    exponent: float

    @property
    def dim(self) -> int:
        return int(self.axes.shape[1])

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """vectors: shape=(…, D). Returns shape=(…, d), L2-normalised."""
        return l2_normalised(signed_power(vectors @ self.axes, self.exponent))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"axes": self.axes.astype(np.float16), "exponent": np.array(self.exponent)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Reduction | None:
        """None where none was learnt."""
        return cls(arrays["axes"].astype(np.float32), float(arrays["exponent"])) if "axes" in arrays else None


def learn_reduction(vectors: NDArray[np.float32], dim: int, exponent: float) -> Reduction:
    """vectors: shape=(N, D), descriptors of many pictures. Raises InvalidOption for dim beyond min(N, D)."""
    if not 1 <= dim <= min(vectors.shape):
        raise InvalidOption(
            f"A rotation to {dim} dimensions cannot be learnt from {len(vectors)} descriptors "
            f"of {vectors.shape[1]} dimensions."
        )
    # Not centred: the rotation must keep dot products.
    axes, _ = principal_axes(vectors, dim)
    # Rounded at once to what is stored, so that rows and queries meet the same axes.
    return Reduction(axes.astype(np.float16).astype(np.float32), exponent)


def learn_affordable_reduction(vectors: NDArray[np.float32], exponent: float) -> tuple[Reduction | None, str]:
    """To at most MAX_DIM; none, and a note that says so, where there are too few pictures for MIN_DIM."""
    number, dim = vectors.shape
    affordable = min(MAX_DIM, number // PICTURES_PER_AXIS, dim)
    if affordable < min(MIN_DIM, dim):
        return None, f"All {dim:,} dimensions are kept: there are too few photos to learn fewer from."
    return learn_reduction(vectors, affordable, exponent), ""
