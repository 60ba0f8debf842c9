"""Local features: many small described neighbourhoods of a picture, for matching the same object or place."""

from __future__ import annotations

from imagesearch.local_features.features import LocalFeatures
from imagesearch.local_features.rootsift import RootSift

__all__ = ["LocalFeatures", "RootSift"]
