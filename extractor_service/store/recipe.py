"""What the descriptors of one store have in common."""

from __future__ import annotations

from dataclasses import dataclass

from extractor_service.backbones.base import ModelIdentity, Precision


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a picture becomes a descriptor. Descriptors of different recipes are not comparable."""

    descriptor: str
    """Such as "fc6"."""
    dim: int
    model: ModelIdentity
    precision: Precision
    """F32, BF16 or INT8, never AUTO."""
    local_features: bool = False
    """Whether every image has local features, too."""
    localization: bool = False
    """Whether every image has its convolutional map, too."""
