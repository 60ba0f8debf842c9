"""An approximate index on disk: its codes, and what its build decided and measured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2

from imagesearch.errors import SnapshotDamaged
from imagesearch.index.approximate import ApproximateIndex, SearchEffort
from imagesearch.index.codes import Codes
from imagesearch.index.kinds import KINDS, MILVUS
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import MilvusCodes, Seen
from imagesearch.index.milvus.server import MilvusAddress, connected

REPORT_FILE = "index.json"


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a build decided and measured."""

    kind: str
    requested: str
    """What was asked for: this kind, another, or "auto"."""
    candidates: int = 0
    visits: int = 0
    recall_at_10: float | None = None
    """Share of the true ten nearest found, over sampled queries of the collection; None for exact."""
    latency_ms: float | None = None
    """Median of one query on the machine that built it, codes and re-ranking together."""
    method: str = ""
    """Which of the kind's methods did best, where there are several."""
    note: str = ""
    """Why this kind, when it is not the one asked for."""
    collection: str = ""
    """The name of the collection in Milvus that holds the vectors."""
    growth: int = 0
    """How often it had grown; see `milvus.collection`."""
    entities: int = 0
    """Vectors in it that this snapshot sees."""


def write_index(directory: Path, codes: Codes, report: IndexReport) -> None:
    codes.write(directory)
    (directory / REPORT_FILE).write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")


def remove_index(directory: Path) -> None:
    """Whatever a build has left there."""
    for path in directory.glob("index.*"):
        path.unlink()


def read_report(directory: Path) -> IndexReport:
    """Raises SnapshotDamaged."""
    try:
        return IndexReport(**json.loads((directory / REPORT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SnapshotDamaged("The index's report cannot be read; build the index again.") from error


def open_collection(
    milvus: MilvusAddress | None, report: IndexReport, descriptors: DescriptorMatrix
) -> MilvusCodes:
    """Raises VectorsUnavailable, and VectorsGone where it is not as it was written."""
    seen = Seen(report.collection, report.growth, report.entities)
    return MilvusCodes.opened(connected(milvus), seen, descriptors)


def open_codes(
    directory: Path, report: IndexReport, descriptors: DescriptorMatrix, milvus: MilvusAddress | None
) -> Codes:
    """descriptors: those the index was built on. Raises SnapshotDamaged and VectorsUnavailable."""
    if report.kind == MILVUS:
        return open_collection(milvus, report, descriptors)
    try:
        return KINDS[report.kind].read(directory)
    except (RuntimeError, OSError, ValueError, cv2.error) as error:
        raise SnapshotDamaged("The index cannot be read; build it again.") from error


def open_approximate(
    directory: Path, descriptors: DescriptorMatrix, milvus: MilvusAddress | None
) -> ApproximateIndex:
    """descriptors: those the index was built on. Raises SnapshotDamaged and VectorsUnavailable."""
    report = read_report(directory)
    codes = open_codes(directory, report, descriptors, milvus)
    if codes.shape != (len(descriptors), descriptors.dim):
        raise SnapshotDamaged("The index and the descriptors disagree in number; build the index again.")
    return ApproximateIndex(report.kind, codes, descriptors, SearchEffort(report.candidates, report.visits))
