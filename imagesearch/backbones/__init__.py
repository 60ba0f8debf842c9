"""The networks: a card for each, and one runtime that serves whatever a card names."""

import sys

from imagesearch.backbones.base import Backbone, Card, Int8Quality, ModelIdentity, Precision
from imagesearch.backbones.runtime import load_backbone, resolve_precision

# OpenVINO reports each import and conversion to its maker, unless this package cannot be found.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

__all__ = [
    "Backbone",
    "Card",
    "Int8Quality",
    "ModelIdentity",
    "Precision",
    "load_backbone",
    "resolve_precision",
]
