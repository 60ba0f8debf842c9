"""The photos that quality is measured on, and which of them answer which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.retrieval import GroundTruth, load_corel1k, load_ground_truth, load_holidays


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """A folder of photos with its ground truth."""

    name: str
    folder: Path
    truth: GroundTruth
    same_object: bool = True
    """Whether right answers show the query's own object or place; otherwise there is nothing to verify."""

    def first(self, queries: int) -> PhotoSet:
        """The same photos with fewer queries, evenly drawn."""
        names = list(self.truth.relevant)
        step = max(1, len(names) // queries)
        relevant = {name: self.truth.relevant[name] for name in names[::step][:queries]}
        return replace(self, truth=GroundTruth(self.truth.photos, relevant))


def published_sets(folder: Path) -> list[PhotoSet]:
    """INRIA Holidays and Corel-1k. Raises GroundTruthError where one is missing."""
    holidays, corel = folder / "holidays", folder / "corel1k"
    return [
        PhotoSet("holidays", holidays, load_holidays(holidays)),
        PhotoSet("corel1k", corel, load_corel1k(corel), same_object=False),
    ]


def own_set(truth_file: Path) -> PhotoSet:
    """The folder of a ground-truth file. Raises GroundTruthError."""
    return PhotoSet(truth_file.resolve().parent.name, truth_file.parent, load_ground_truth(truth_file))
