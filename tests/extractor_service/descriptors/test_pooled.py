from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from extractor_service.descriptors.long_side import LongSideInput
from extractor_service.descriptors.pooled import POOLINGS, THREE_SCALES, Pooled
from extractor_service.descriptors.pooling import rmac
from extractor_service.descriptors.whitening import learn_whitening
from tests.fakes import FakeBackbone


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("name", list(POOLINGS))
@pytest.mark.parametrize("scales", [(1.0,), THREE_SCALES])
def test_every_pooling_describes_pictures_of_different_shapes(name: str, scales: tuple[float, ...]) -> None:
    descriptor = Pooled(name, FakeBackbone(), 128, scales=scales)
    inputs = [descriptor.input_plan.prepare(picture(*size)) for size in [(90, 60), (20, 20), (10, 900)]]
    described = descriptor.describe(inputs)
    assert described.shape == (3, descriptor.dim) == (3, 3)
    np.testing.assert_allclose(np.linalg.norm(described, axis=1), 1, atol=1e-5)


def test_rmac_normalises_whitens_and_normalises_each_region_before_the_sum() -> None:
    plain, sample = Pooled("rmac", FakeBackbone(), 128), []
    for seed in range(30):
        sample.append(plain.pooled_vectors(picture(96, 128, seed)))
    whitening = learn_whitening(np.concatenate(sample), 2)
    seen = picture(96, 128, seed=99)
    literal = sum(
        unit((unit(region) - whitening.mean) @ whitening.projection)
        for region in rmac(FakeBackbone().conv_map(seen[None])[0])
    )
    described = Pooled("rmac", FakeBackbone(), 128, whitening).describe([seen])
    np.testing.assert_allclose(described[0], literal / np.linalg.norm(literal), atol=1e-4)


def test_several_scales_are_summed_after_their_normalisation() -> None:
    seen = np.repeat(np.repeat(picture(4, 6), 32, axis=0), 32, axis=1)
    whole, half = Pooled("mac", FakeBackbone(), 192), Pooled("mac", FakeBackbone(), 192, scales=(0.5,))
    both = Pooled("mac", FakeBackbone(), 192, scales=(1.0, 0.5))
    literal = unit(whole.describe([seen])[0] + half.describe([seen])[0])
    np.testing.assert_allclose(both.describe([seen])[0], literal, atol=1e-6)


@pytest.mark.parametrize("name", list(POOLINGS))
def test_a_black_picture_stays_zero(name: str) -> None:
    assert not Pooled(name, FakeBackbone(), 64).describe([np.zeros((64, 64, 3), np.uint8)]).any()


def test_no_pictures_give_no_rows() -> None:
    assert Pooled("gem", FakeBackbone(), 64).describe([]).shape == (0, 3)


@pytest.mark.parametrize(
    ("size", "prepared"), [((600, 800), (192, 256)), ((30, 40), (192, 256)), ((5, 900), (32, 256))]
)
def test_the_long_side_is_set_and_the_aspect_kept(size: tuple[int, int], prepared: tuple[int, int]) -> None:
    assert LongSideInput(256).prepare(picture(*size)).shape[:2] == prepared


def test_small_pictures_stay_small_where_asked() -> None:
    seen = picture(30, 40)
    assert LongSideInput(256, enlarge=False).prepare(seen) is seen
