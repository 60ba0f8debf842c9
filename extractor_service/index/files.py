"""An approximate index on disk: its codes as faiss writes them, and what its build decided and measured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss

from extractor_service.errors import SnapshotDamaged
from extractor_service.index.approximate import ApproximateIndex, SearchEffort
from extractor_service.index.matrix import DescriptorMatrix

CODES_FILE = "index.faiss"
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
    note: str = ""
    """Why this kind, when it is not the one asked for."""


def write_index(directory: Path, codes: faiss.Index, report: IndexReport) -> None:
    faiss.write_index(codes, str(directory / CODES_FILE))
    (directory / REPORT_FILE).write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")


def read_report(directory: Path) -> IndexReport:
    """Raises SnapshotDamaged."""
    try:
        return IndexReport(**json.loads((directory / REPORT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SnapshotDamaged("The index's report cannot be read; build the index again.") from error


def open_approximate(directory: Path, descriptors: DescriptorMatrix) -> ApproximateIndex:
    """descriptors: those the index was built on. Raises SnapshotDamaged."""
    report = read_report(directory)
    try:
        codes = faiss.read_index(str(directory / CODES_FILE))
    except RuntimeError as error:
        raise SnapshotDamaged("The index cannot be read; build it again.") from error
    if (codes.ntotal, codes.d) != (len(descriptors), descriptors.dim):
        raise SnapshotDamaged("The index and the descriptors disagree in number; build the index again.")
    return ApproximateIndex(report.kind, codes, descriptors, SearchEffort(report.candidates, report.visits))
