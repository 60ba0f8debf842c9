"""What the engine knows of an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest rows of Q queries: ascending by distance, ties ascending by image id.

    `found[number]` are those of one query, shape=(K,). Of these, `found[which]` takes some: by a slice, by a
    mask or in another order.
    """

    rows: NDArray[np.int64]
    """shape=(Q, K); -1 where the index holds fewer than K images."""
    distances: NDArray[np.float32]
    """shape=(Q, K), L2, not squared; inf where rows is -1."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: int | slice | NDArray[Any]) -> Neighbours:
        return Neighbours(self.rows[which], self.distances[which])


class Index(Protocol):
    """Nearest-neighbour search over one descriptor matrix; deleted rows are not found. Thread-safe."""

    @property
    def kind(self) -> str:
        """Such as "exact"."""
        ...

    @property
    def approximate(self) -> bool: ...

    def __len__(self) -> int:
        """Images that can be found."""
        ...

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """queries: shape=(Q, D), dtype=float32, rows L2-normalised; k >= 1.

        among: shape=(rows,), the rows that may be found, none of them deleted; None for all that are not.
        """
        ...

    def close(self) -> None:
        """Ends the threads that it searches with. Nothing may be searched afterwards."""
        ...
