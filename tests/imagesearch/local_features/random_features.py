"""Local features of no picture."""

from __future__ import annotations

import numpy as np

from imagesearch.local_features.features import LocalFeatures


def some_features(count: int, seed: int = 0) -> LocalFeatures:
    rng = np.random.default_rng(seed)
    root_sift = rng.uniform(0, 1, (count, 128)).astype(np.float32) ** 4
    return LocalFeatures(
        width_px=640,
        height_px=480 + seed,
        positions=rng.integers(0, 60_000, (count, 2)).astype(np.uint16),
        scales=rng.uniform(1, 90, count).astype(np.float16),
        orientations=rng.integers(0, 65_536, count).astype(np.uint16),
        root_sift=root_sift / np.linalg.norm(root_sift, axis=1, keepdims=True),
    )
