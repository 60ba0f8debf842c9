"""The kinds of indexes, by the name that a snapshot's manifest gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extractor_service.errors import InvalidOption
from extractor_service.index.base import Index, Neighbours
from extractor_service.index.exact import ExactIndex

__all__ = ["Index", "Neighbours", "open_index"]


def open_index(kind: str, snapshot_dir: Path, descriptors: NDArray[np.float16], threads: int) -> Index:
    """The index of a snapshot over its descriptors, shape=(N, D). InvalidOption for an unknown kind."""
    if kind == "exact":
        return ExactIndex(descriptors, threads)
    raise InvalidOption(f"There is no index “{kind}”; there is: exact.")
