"""The kinds of indexes, by the name that a snapshot's manifest gives."""

from __future__ import annotations

from pathlib import Path

from imagesearch.errors import InvalidOption
from imagesearch.index.base import Index, Neighbours
from imagesearch.index.exact import ExactIndex
from imagesearch.index.files import IndexReport, open_approximate
from imagesearch.index.kinds import SPENDING, IndexPlan
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.server import MilvusAddress

__all__ = [
    "DescriptorMatrix",
    "Index",
    "IndexPlan",
    "IndexReport",
    "MilvusAddress",
    "Neighbours",
    "open_index",
]


def open_index(
    kind: str,
    snapshot_dir: Path,
    descriptors: DescriptorMatrix,
    threads: int,
    milvus: MilvusAddress | None = None,
) -> Index:
    """The index of a snapshot over its descriptors. milvus: where collections are, if there are any.

    Raises InvalidOption for an unknown kind, SnapshotDamaged and VectorsUnavailable.
    """
    if kind == "exact":
        return ExactIndex(descriptors, threads)
    if kind in SPENDING:
        return open_approximate(snapshot_dir, descriptors, milvus)
    raise InvalidOption(f"There is no index “{kind}”; there are: exact, {', '.join(SPENDING)}.")
