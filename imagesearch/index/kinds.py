"""The kinds of approximate indexes: one table. What builds their codes is in `building.training`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imagesearch.index.codes import Codes, FaissCodes
from imagesearch.index.flann import FlannCodes


@dataclass(frozen=True, slots=True)
class IndexKind:
    """How one kind is opened and searched."""

    read: Callable[[Path], Codes] = FaissCodes.read
    """Raises RuntimeError, OSError, ValueError or cv2.error where the files cannot be read."""
    visits: tuple[int, ...] = (0,)
    """What a query may spend, see `SearchEffort`, from cheap to dear; (0,) where every code is scanned."""
    max_candidates: int = 2_000


KINDS = {
    "pq": IndexKind(),
    "opq": IndexKind(),
    "ivf": IndexKind(visits=(4, 8, 16, 32, 64, 128, 256)),
    "hnsw": IndexKind(visits=(16, 32, 64, 128, 256, 512)),
    # FLANN keeps what it has found in order by insertion, so that many cost more than they bring.
    "flann": IndexKind(FlannCodes.read, visits=(64, 256, 1_024), max_candidates=200),
}
"""By name."""
REQUESTS = ("auto", "exact", *KINDS)
"""What can be asked for."""
