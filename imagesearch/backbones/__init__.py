"""The networks: VGG16 and the project's own compact one, one code path from description to served model."""

import sys

from imagesearch.backbones.base import Backbone, Int8Quality, ModelIdentity, Precision
from imagesearch.backbones.runtime import load_backbone, resolve_precision

# OpenVINO reports each import and conversion to its maker, unless this package cannot be found.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

__all__ = [
    "Backbone",
    "Int8Quality",
    "ModelIdentity",
    "Precision",
    "load_backbone",
    "resolve_precision",
]
