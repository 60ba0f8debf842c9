"""A network small enough that a run takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.backbones.making import weight_files
from imagesearch.backbones.making.efficientnet_layout import EFFICIENTNET_LITE0_LAYOUT
from imagesearch.backbones.making.layout import Layout, Weights
from imagesearch.pictures.decode import ImageLimits
from training.model_file import write_weights

LIMITS = ImageLimits(10**7, 10**7)
SMALL = replace(
    EFFICIENTNET_LITE0_LAYOUT,
    stem_width=4,
    stages=((3, 2, 1, 6, 1), (3, 2, 2, 8, 2), (3, 1, 2, 10, 1), (5, 2, 2, 12, 2)),
    head_width=16,
    input_size_px=64,
)


def no_progress(what: str, total: int) -> Callable[[int], object]:
    return lambda done: None


def random_weights(layout: Layout, seed: int) -> Weights:
    """He et al. 2015, equation 10: normal, of variance 2 / inputs; biases zero."""
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for key, shape in layout.weight_shapes().items():
        inputs = np.prod(shape[:2] if "depthwise" in key else shape[:-1])
        drawn = np.zeros(shape) if key.endswith("/bias") else rng.normal(0, np.sqrt(2 / inputs), shape)
        weights[key] = drawn.astype(np.float32)
    return weights


@pytest.fixture
def small_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """EfficientNet-Lite0 with few channels and blocks, random."""
    monkeypatch.setattr(weight_files, "EFFICIENTNET_LITE0_LAYOUT", SMALL)
    path = tmp_path / "small.npz"
    write_weights(path, random_weights(SMALL, seed=1))
    return path
