from __future__ import annotations

import numpy as np
import pytest

from samples.scenes import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_fits_any_shape(kind: str) -> None:
    for width, height in ((320, 240), (240, 320), (300, 300)):
        picture = KINDS[kind].draw(0, np.random.default_rng(7), (width, height))
        assert picture.shape == (height, width, 3)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.std() > 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_chance_comes_only_from_the_generator(kind: str) -> None:
    first, second = (KINDS[kind].draw(1, np.random.default_rng(7), (160, 120)) for _ in range(2))
    assert np.array_equal(first, second)
