"""From a picture to its descriptor: the two seams behind which every kind of global descriptor lives.

A `Descriptor` turns pictures into vectors, one or many each; the indexer keeps those. An `Encoding`, learnt
on the collection when it is published, turns the vectors of a picture into its row of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.vlad import Vlad, learn_vlad
from imagesearch.pictures.plans import InputPlan


class Descriptor(Protocol):
    """The vectors of one kind of global descriptor, by a network. Thread-safe."""

    @property
    def name(self) -> str:
        """Such as "fc6"."""
        ...

    @property
    def dim(self) -> int:
        """C, values of one vector."""
        ...

    @property
    def input_plan(self) -> InputPlan: ...

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """inputs: pictures as `input_plan` prepares them. Returns shape=(R, C) of each, rows L2-normalised.

        R is 1 but for several regions or scales. A row whose network output is all zero stays zero.
        """
        ...


class Encoding(Protocol):
    """From a picture's vectors to its descriptor. Immutable and thread-safe."""

    @property
    def dim(self) -> int:
        """D, values of a descriptor."""
        ...

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """vectors: shape=(R, C), a picture's. Returns shape=(D,), L2-normalised; see each kind for R = 0."""
        ...

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What a snapshot keeps of it; each kind's `from_arrays` is the way back."""
        ...


CANDIDATE_WORDS = 64
"""On Holidays as many of the right photos are among the first 40 by 64 words as by 256 (0.82 of them), more
than among those by a bag of 5,000 words (0.75)."""


@dataclass(frozen=True, slots=True)
class Encodings:
    """How the vectors of a picture become what is searched."""

    descriptor: Encoding
    candidates: Vlad | None = None
    """Of local features: finds what is worth verifying, also where the descriptor does not; None where there
    are no local features or the descriptor is made of them and does it as well."""
    note: str = ""
    """What could not be learnt as asked for, one sentence or more; empty where all could."""


def needs_candidates(kind: str, local_features: bool) -> bool:
    return local_features and kind not in ("vlad", "temb")


def learn_candidates(pictures: Sequence[NDArray[np.float32]]) -> Vlad | None:
    """pictures: the local features of each, shape=(N, 128); None where there is no picture."""
    return learn_vlad(pictures, CANDIDATE_WORDS)[0] if pictures else None
