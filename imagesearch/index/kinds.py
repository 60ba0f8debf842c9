"""Which index to build: the kinds of approximate ones in one table, and the plan that takes one of them.

What builds their codes is in `building.training`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.errors import InvalidOption
from imagesearch.index.codes import Codes, FaissCodes
from imagesearch.index.flann import FlannCodes
from imagesearch.index.milvus.collection import Facts
from imagesearch.index.milvus.server import MilvusAddress


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
"""Of those whose codes lie beside the snapshot, by name."""
MILVUS = "milvus"
# Its graph keeps whole vectors, so that the nearest it visits come first.
SPENDING = KINDS | {MILVUS: IndexKind(visits=(16, 32, 64, 128, 256, 512), max_candidates=500)}
"""What a query may spend, of every kind."""
REQUESTS = ("auto", "exact", *SPENDING)
"""What can be asked for."""


EXACT_SCAN_BYTES = 200_000_000
"""Up to here a whole float16 matrix is scanned in under 10 ms on 2 cores (100,000 x 4096: 32 ms)."""
FLAT_CODES_ROWS = 100_000
"""Up to here scanning every code takes 0.4 ms at most; from here on inverted lists take half as long, and of
a million rows a seventh."""
MIN_ROWS = 1_000
"""Fewer rows than this cannot train 16 centroids a part with the 39 points each that faiss asks for."""


def no_facts(rows: Sequence[int]) -> Sequence[Facts]:
    return [Facts()] * len(rows)


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """What index to build beside the descriptors."""

    kind: str = "auto"
    """One of REQUESTS."""
    target_recall: float = 0.99
    """The recall@10 below which an approximate index is not trusted."""
    threads: int = 1
    milvus: MilvusAddress | None = None
    collection: str = "images"
    """What the names of collections in Milvus begin with."""
    facts: Callable[[Sequence[int]], Sequence[Facts]] = no_facts
    """What filters ask of rows, for Milvus."""
    moved: Sequence[int] = ()
    """Rows of which that has changed since the snapshot that this one adds to."""


def choose_kind(requested: str, count: int, dim: int) -> tuple[str, str]:
    """The kind to build and, where it is not the requested one, why. Raises InvalidOption."""
    if requested not in REQUESTS:
        raise InvalidOption(f"An index is one of {', '.join(REQUESTS)}; {requested!r} is not.")
    if requested not in ("auto", "exact") and count < MIN_ROWS:
        return (
            "exact",
            f"{count} images are too few for {requested}: it needs {MIN_ROWS:,}; searched exactly.",
        )
    if requested != "auto":
        return requested, ""
    if count < MIN_ROWS or count * dim * 2 <= EXACT_SCAN_BYTES:
        return "exact", ""
    return ("pq" if count <= FLAT_CODES_ROWS else "ivf"), ""
