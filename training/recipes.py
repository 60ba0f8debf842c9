"""What decides how training goes, and what came out of it. Nothing here loads Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DescriptorName = Literal["whole", "gem"]
LossName = Literal["contrastive", "triplet", "classification"]


@dataclass(frozen=True, slots=True)
class FinetuneRecipe:
    """Everything that decides what comes out, together with the photos and the network."""

    loss: LossName = "contrastive"
    descriptor: DescriptorName = "whole"
    frozen_blocks: int = 3
    epochs: float = 3.0
    peak_rate: float = 2e-5
    held_out_share: float = 0.3
    labels_per_batch: int = 16
    photos_per_label: int = 4
    weight_decay: float = 0.02
    averaged_share: float = 0.1
    """Of the steps: how far the average of the weights looks back."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean average precision of the same queries before and after."""

    before: float
    after: float
    low: float
    high: float
    """The difference lies between them, with 95 % confidence."""
    queries: int

    @property
    def is_better(self) -> bool:
        """Not by chance: with another draw of queries it would be better too."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Finetuned:
    """What was done and what was measured."""

    comparison: Comparison
    descriptor: str
    steps: int
    seconds: float
    """Of training, in this sitting."""
    photos_per_label: dict[str, int]
    """Learnt from."""
    left_out: dict[str, int]
    """Labels with too few photos, and how many they have."""
    unreadable: list[str]
    model: str | None = None
    """Path of the weights' file; None where no improvement was measured: then there is none."""
    sha256: str | None = None
