"""What the descriptors of one store have in common."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch.backbones.base import ModelIdentity, Precision
from imagesearch.descriptors.choices import LOCAL_KINDS, SPARSE_KINDS, DescriptorSettings


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a picture becomes vectors, and they its descriptor; of different recipes not comparable."""

    descriptor: str
    """Such as "fc6"."""
    dim: int
    """C, values of one vector of a picture: of its descriptor, but for what is learnt at publication."""
    model: ModelIdentity
    """The network; where none is needed the way local features are found."""
    precision: Precision
    """F32, BF16 or INT8, never AUTO."""
    local_features: bool = False
    """Whether every image has local features, too; with bof, vlad and temb always."""
    localization: bool = False
    """Whether every image has its convolutional map, too."""
    upright: bool = False
    """Whether local features take up as up."""
    settings: DescriptorSettings = DescriptorSettings()

    @property
    def needs_network(self) -> bool:
        return self.localization or self.descriptor not in LOCAL_KINDS

    @property
    def is_sparse(self) -> bool:
        """Whether descriptors are searched by an inverted file."""
        return self.descriptor in SPARSE_KINDS
