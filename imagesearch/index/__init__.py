"""The kinds of indexes, by the name that a snapshot's manifest gives."""

from __future__ import annotations

from pathlib import Path

from imagesearch.errors import InvalidOption
from imagesearch.index.base import Index, Neighbours
from imagesearch.index.exact import ExactIndex
from imagesearch.index.files import IndexReport, open_approximate
from imagesearch.index.kinds import KINDS, IndexPlan
from imagesearch.index.matrix import DescriptorMatrix

__all__ = [
    "DescriptorMatrix",
    "Index",
    "IndexPlan",
    "IndexReport",
    "Neighbours",
    "open_index",
]


def open_index(kind: str, snapshot_dir: Path, descriptors: DescriptorMatrix, threads: int) -> Index:
    """The index of a snapshot over its descriptors. InvalidOption for an unknown kind."""
    if kind == "exact":
        return ExactIndex(descriptors, threads)
    if kind in KINDS:
        return open_approximate(snapshot_dir, descriptors)
    raise InvalidOption(f"There is no index “{kind}”; there are: exact, {', '.join(KINDS)}.")
