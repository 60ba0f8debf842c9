"""What finds candidates: compact codes of every row, searched by faiss."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

CODES_FILE = "index.faiss"


class Codes(Protocol):
    """Compact codes of the rows of a descriptor matrix. Thread-safe once built."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and values of a descriptor."""
        ...

    def candidates(self, query: NDArray[np.float32], count: int, visits: int) -> NDArray[np.int64]:
        """At most `count` rows that are likely nearest, best first. query: shape=(D,).

        visits: see `SearchEffort`.
        """
        ...

    def write(self, directory: Path) -> None: ...


class FaissCodes:
    """`Codes` that can grow: a faiss index behind a rotation, without ids, so that rows count from 0."""

    def __init__(self, index: faiss.IndexPreTransform) -> None:
        self._index = index

    @classmethod
    def read(cls, directory: Path) -> FaissCodes:
        """Raises RuntimeError where faiss cannot read them."""
        return cls(faiss.read_index(str(directory / CODES_FILE)))

    @property
    def shape(self) -> tuple[int, int]:
        return self._index.ntotal, self._index.d

    def add(self, descriptors: NDArray[np.float32]) -> None:
        self._index.add(descriptors)

    def candidates(self, query: NDArray[np.float32], count: int, visits: int) -> NDArray[np.int64]:
        _, rows = self._index.search(query[np.newaxis], count, params=self._parameters(visits))
        found: NDArray[np.int64] = rows[0][rows[0] >= 0]
        return found

    def write(self, directory: Path) -> None:
        faiss.write_index(self._index, str(directory / CODES_FILE))

    def _parameters(self, visits: int) -> Any:
        searched = faiss.downcast_index(self._index.index)
        if isinstance(searched, faiss.IndexIVF):
            inner = faiss.SearchParametersIVF(nprobe=visits)
        elif isinstance(searched, faiss.IndexHNSW):
            inner = faiss.SearchParametersHNSW(efSearch=visits)
        else:
            return None
        return faiss.SearchParametersPreTransform(index_params=inner)
