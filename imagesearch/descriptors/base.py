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


@dataclass(frozen=True, slots=True)
class Encodings:
    """How the vectors of a picture become what is searched."""

    descriptor: Encoding
    note: str = ""
    """What could not be learnt as asked for, one sentence or more; empty where all could."""
