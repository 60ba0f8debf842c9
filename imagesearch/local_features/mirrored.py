"""The local features that a picture's mirror image has, without looking at it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imagesearch.local_features.features import (
    DIM,
    ORIENTATION_STEPS,
    POSITION_STEPS_PER_PX,
    LocalFeatures,
)

_ROWS_COLUMNS_DIRECTIONS = (4, 4, 8)
"""What the 128 values of SIFT count: directions in a grid that is turned along the feature."""
_VALUES = np.arange(DIM).reshape(_ROWS_COLUMNS_DIRECTIONS)
_OPPOSITE = -np.arange(8) % 8
_MIRRORED = _VALUES[::-1, :, _OPPOSITE].ravel()
"""Along the feature's own direction nothing changes; across it the rows swap, and directions turn the other
way."""
_MIRRORED_UPRIGHT = _VALUES[:, ::-1, (4 - np.arange(8)) % 8].ravel()
"""Of features that take up as up: the columns swap."""


def mirrored(features: LocalFeatures) -> LocalFeatures:
    """Left and right exchanged. Within SIFT's rounding those that `RootSift` finds in the mirror image."""
    positions = features.positions.copy()
    last = (features.width_px - 1) * POSITION_STEPS_PER_PX
    positions[:, 0] = np.maximum(last - positions[:, 0].astype(np.int64), 0)
    if not features.orientations.any():
        return replace(features, positions=positions, root_sift=features.root_sift[:, _MIRRORED_UPRIGHT])
    turned = (ORIENTATION_STEPS // 2 - features.orientations.astype(np.int64)) % ORIENTATION_STEPS
    return replace(
        features,
        positions=positions,
        orientations=turned.astype(np.uint16),
        root_sift=features.root_sift[:, _MIRRORED],
    )
