"""What a self-test found. Values, and the figures drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from extractor_service.search.queries import MAX_LIMIT
from imagesearch.store.manifest import IndexSummary
from indexer.selftest.transformations import TRANSFORMATIONS, Transformation

RANKS_TOLD = MAX_LIMIT
"""An original that is not among so many results counts as not found."""

WORST_SHOWN = 4
"""Failures of each transformation that are shown as pictures."""

LEFT_OUT_SHOWN = 20

FEW_IMAGES = 100
"""Of fewer, ten results are so large a share that recall at 10 says little."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a self-test is asked for."""

    photos: int
    seed: int
    exact: bool = False
    expand: bool = False
    verify: bool | None = None
    """None: where the store has local features."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One altered photo searched with."""

    transformation: str
    image_id: str
    path: str
    """Of its original, relative to the images folder."""
    rank: int | None
    """Where the original stands among the results, from 1; None beyond RANKS_TOLD."""
    first_image_id: str | None
    first_path: str
    """What was found first; None and empty where nothing was."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A photo of the sample that could not be tested, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a self-test found."""

    index: IndexSummary
    choices: Choices
    tested: int
    """Photos that were altered and searched with."""
    left_out: list[LeftOut]
    outcomes: list[Outcome]
    """Photo by photo; of each, one per transformation in order of TRANSFORMATIONS."""
    pictures: dict[tuple[str, str], bytes]
    """WebP by image id and transformation: of the first photo tested all, of the others the failures."""
    seconds: float

    def of(self, transformation: Transformation) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.transformation == transformation.name]

    def to_json(self) -> dict[str, Any]:
        return {
            "index": asdict(self.index),
            **asdict(self.choices),
            "photos": self.tested,
            "left_out": [asdict(each) for each in self.left_out],
            "transformations": [
                {
                    "name": transformation.name,
                    "what": transformation.what,
                    "queries": len(outcomes),
                    "recall_at_1": recall_at(1, outcomes),
                    "recall_at_10": recall_at(10, outcomes),
                }
                for transformation in TRANSFORMATIONS
                if (outcomes := self.of(transformation))
            ],
            "seconds": round(self.seconds, 3),
        }


def recall_at(count: int, outcomes: Sequence[Outcome]) -> float:
    """The share of the altered photos whose original is among the first `count` results; 0 for none."""
    found = sum(outcome.rank is not None and outcome.rank <= count for outcome in outcomes)
    return found / max(len(outcomes), 1)


def worst(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The altered photos whose originals ended furthest from the first place, furthest first."""
    missed = [outcome for outcome in outcomes if outcome.rank != 1]
    return sorted(missed, key=lambda outcome: -(outcome.rank or RANKS_TOLD + 1))[:WORST_SHOWN]


def few_images_note(results: Results) -> str:
    """What a small collection's figures are worth; empty for a larger one."""
    count = results.index.count
    if count >= FEW_IMAGES:
        return ""
    photos = "one photo" if count == 1 else f"{count} photos"
    return f"The index holds {photos}: finding the right one among so few proves little."
