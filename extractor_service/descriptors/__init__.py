"""The kinds of global descriptors, by name."""

from __future__ import annotations

from collections.abc import Callable

from extractor_service.backbones.base import Backbone
from extractor_service.descriptors.base import Descriptor, InputPlan
from extractor_service.descriptors.fc6 import Fc6
from extractor_service.errors import InvalidOption

__all__ = ["DESCRIPTORS", "Descriptor", "InputPlan", "create_descriptor"]

DESCRIPTORS: dict[str, Callable[[Backbone], Descriptor]] = {
    "fc6": Fc6,
}


def create_descriptor(name: str, backbone: Backbone) -> Descriptor:
    """Raises InvalidOption for a name that is not in `DESCRIPTORS`."""
    if name not in DESCRIPTORS:
        raise InvalidOption(f"There is no descriptor “{name}”; there are: {', '.join(DESCRIPTORS)}.")
    return DESCRIPTORS[name](backbone)
