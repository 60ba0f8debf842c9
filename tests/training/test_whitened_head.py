from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.whitened_head import whitened_head


def views_of(rng: np.random.Generator, photos: int, noisy: NDArray[np.float64]) -> NDArray[np.float32]:
    """shape=(photos, 4, D): `noisy` says how far the views of a photo scatter in each direction."""
    photo = rng.normal(size=(photos, 1, len(noisy)))
    return (photo + noisy * rng.normal(size=(photos, 4, len(noisy)))).astype(np.float32)


def found_first(descriptors: NDArray[np.float32]) -> float:
    """Share of the photos whose first view is nearest to their second."""
    unit = descriptors / np.linalg.norm(descriptors, axis=-1, keepdims=True)
    return float(np.mean(np.argmax(unit[:, 0] @ unit[:, 1].T, axis=1) == np.arange(len(unit))))


def test_views_of_a_photo_find_each_other_better_than_before() -> None:
    rng, noisy = np.random.default_rng(1), np.array([4.0] * 4 + [0.3] * 8)
    kernel, bias = whitened_head(views_of(rng, 500, noisy), fc6_dim=16)
    unseen = views_of(rng, 200, noisy)
    described = np.maximum(unseen @ kernel + bias, 0)
    assert found_first(unseen) < 0.5
    assert found_first(described) > 0.7


def test_each_direction_has_both_signs() -> None:
    kernel, bias = whitened_head(views_of(np.random.default_rng(2), 50, np.ones(6)), fc6_dim=8)
    assert kernel.shape == (6, 8)
    np.testing.assert_array_equal(kernel[:, :4], -kernel[:, 4:])
    np.testing.assert_allclose(bias[:4], -bias[4:], rtol=1e-5)
