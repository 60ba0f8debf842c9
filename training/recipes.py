"""What decides how training goes. Nothing here loads Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imagesearch.pictures.decode import ImageLimits
from training.views import Augmentation

DescriptorName = Literal["whole", "gem"]
LossName = Literal["contrastive", "triplet", "classification"]


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimised: the sum of the terms, each with its weight; a weight of 0 leaves the term out."""

    classification: float = 1.0
    """Cross-entropy of the labels."""
    label_smoothing: float = 0.1
    contrastive: float = 0.0
    triplet: float = 0.0
    groups: Literal["photos", "labels"] = "photos"
    """What the contrastive terms pull together: views of one photo, or photos of one label."""
    descriptors: tuple[DescriptorName, ...] = ("whole",)
    """What the contrastive terms look at, each on its own."""
    temperature: float = 0.1
    margin: float = 0.2


@dataclass(frozen=True, slots=True)
class FinetuneRecipe:
    """Everything that decides what comes out, together with the photos and the network."""

    loss: LossName = "contrastive"
    descriptor: DescriptorName = "whole"
    frozen_blocks: int = 3
    epochs: float = 12.0
    peak_rate: float = 3e-4
    held_out_share: float = 0.3
    labels_per_batch: int = 16
    photos_per_label: int = 4
    weight_decay: float = 0.02
    average_decay: float = 0.99
    measurements: int = 12
    patience: int = 4
    augmentation: Augmentation = Augmentation(min_area=0.5)
    seed: int = 0

    def objective(self) -> Objective:
        return Objective(
            classification=float(self.loss == "classification"),
            contrastive=float(self.loss == "contrastive"),
            triplet=float(self.loss == "triplet"),
            groups="labels",
            descriptors=(self.descriptor,),
        )


@dataclass(frozen=True, slots=True)
class Machine:
    """How the recipe is worked off; none of it changes what comes out beyond rounding."""

    bf16: bool
    workers: int
    limits: ImageLimits
