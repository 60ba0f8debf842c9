"""The networks: VGG16 and the project's own compact one, one code path from description to served model."""

import sys

from extractor_service.backbones.base import Backbone, Int8Quality, ModelIdentity, Precision
from extractor_service.backbones.prepare import ModelChoice, prepare_model
from extractor_service.backbones.runtime import load_backbone, resolve_precision
from extractor_service.backbones.weights import Progress

# OpenVINO reports each import and conversion to its maker, unless this package cannot be found.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

__all__ = [
    "Backbone",
    "Int8Quality",
    "ModelChoice",
    "ModelIdentity",
    "Precision",
    "Progress",
    "load_backbone",
    "prepare_model",
    "resolve_precision",
]
