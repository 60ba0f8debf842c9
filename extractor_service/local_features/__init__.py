"""Local features: many small described neighbourhoods of a picture, for matching the same object or place."""

from __future__ import annotations

from extractor_service.local_features.features import LocalFeatures
from extractor_service.local_features.rootsift import RootSift

__all__ = ["LocalFeatures", "RootSift"]
