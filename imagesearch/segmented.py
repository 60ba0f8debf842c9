"""Tables of a collection that grew in steps: one part a segment, rows counted through, nothing copied."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Generic, TypeVar

import numpy as np

Part = TypeVar("Part", bound=Sized)


class Segmented(Generic[Part]):
    """The same table of several segments. A row is the rows of the parts before, plus the row in its part."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.starts = np.cumsum([0, *(len(part) for part in parts)])
        """shape=(S + 1,): the first row of each part, and the number of all rows."""

    def __len__(self) -> int:
        return int(self.starts[-1])

    def locate(self, row: int) -> tuple[Part, int]:
        """The part that holds the row, and the row in it. Raises IndexError."""
        if not 0 <= row < len(self):
            raise IndexError(f"there is no row {row} among {len(self)}")
        number = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.parts[number], row - int(self.starts[number])
