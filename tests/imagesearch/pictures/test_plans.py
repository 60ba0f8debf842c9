"""Input plans: how a picture of any shape becomes what a network takes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imagesearch.backbones.base import Interpolation
from imagesearch.pictures.plans import CroppedInput


@pytest.mark.parametrize("size", [(60, 45), (45, 61), (32, 32), (300, 33), (1, 500), (20, 12)])
@pytest.mark.parametrize("interpolation", ["bilinear", "hamming", "bicubic", "lanczos"])
def test_a_crop_is_what_scaling_the_whole_and_cutting_its_centre_gives(
    size: tuple[int, int], interpolation: Interpolation
) -> None:
    rng = np.random.default_rng(5)
    picture = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))
    short = min(size)
    scaled = picture.resize(
        (28 * size[0] // short, 28 * size[1] // short), Image.Resampling[interpolation.upper()]
    )
    left, top = (scaled.width - 24) // 2, (scaled.height - 24) // 2
    expected = np.array(scaled.crop((left, top, left + 24, top + 24)), np.int16)
    prepared = CroppedInput(24, 28, interpolation).prepare(np.array(picture))
    assert np.abs(prepared - expected).max() <= 1
