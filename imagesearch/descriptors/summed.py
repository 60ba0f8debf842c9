"""The encoding of network descriptors: a picture's vectors summed, whitened first where that was learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised, or_nothing
from imagesearch.descriptors.whitening import SAMPLES_PER_DIMENSION, PcaWhitening, learn_whitening

WHITENED_DIM = 128
"""Of a map's 320 channels or more."""

MIN_WHITENED_DIM = 16
"""What fewer directions tell of a picture is not worth losing the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Summed:
    """An `Encoding`: each vector whitened and L2-normalised, their sum L2-normalised.

    Tolias et al. 2016, section 3.2. Without whitening a single vector stays as it is.
    """

    dim: int
    whitening: PcaWhitening | None = None

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """vectors: shape=(R, C), R >= 1; of zeros alone zero, with whitening `or_nothing`'s direction."""
        if self.whitening is not None:
            return or_nothing(l2_normalised(self.whitening.apply(vectors).sum(axis=0)))
        return vectors[0] if len(vectors) == 1 else l2_normalised(vectors.sum(axis=0))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        dim = np.array(self.dim, np.int64)
        return {"dim": dim} | (self.whitening.to_arrays() if self.whitening else {})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Summed:
        whitening = PcaWhitening.from_arrays(arrays) if "projection" in arrays else None
        return cls(int(arrays["dim"]), whitening)


def learn_summed(sample: Sequence[NDArray[np.float32]], dim: int) -> tuple[Summed, str]:
    """Whitening to WHITENED_DIM, or fewer dimensions where the sample is small; and a note where it is.

    sample: the vectors of each picture, shape=(R, dim).
    """
    vectors = np.concatenate(sample) if sample else np.empty((0, dim), np.float32)
    wanted = min(WHITENED_DIM, dim)
    possible = min(wanted, len(vectors) // SAMPLES_PER_DIMENSION)
    if possible < min(MIN_WHITENED_DIM, wanted):
        return Summed(
            dim
        ), "There are too few photos to learn a whitening from; descriptors are compared without."
    whitening = learn_whitening(vectors, possible)
    note = f"Whitened to {possible} dimensions instead of {wanted}, because there are few photos."
    return Summed(possible, whitening), "" if possible == wanted else note
