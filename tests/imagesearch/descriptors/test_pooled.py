from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.pooled import POOLINGS, THREE_SCALES, Pooled
from imagesearch.descriptors.pooling import rmac
from imagesearch.descriptors.summed import Summed
from imagesearch.descriptors.whitening import learn_whitening
from imagesearch.pictures.plans import LongSideInput
from tests.fakes import FakeBackbone


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def unit(vector: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(vector / np.linalg.norm(vector))


@pytest.mark.parametrize("name", list(POOLINGS))
@pytest.mark.parametrize("scales", [(1.0,), THREE_SCALES])
def test_every_pooling_describes_pictures_of_different_shapes(name: str, scales: tuple[float, ...]) -> None:
    descriptor = Pooled(name, FakeBackbone(), 128, scales=scales)
    inputs = [descriptor.input_plan.prepare(picture(*size)) for size in [(90, 60), (20, 20), (10, 900)]]
    described = descriptor.describe(inputs)
    assert len(described) == 3
    for vectors in described:
        assert vectors.shape[1] == descriptor.dim == 3
        assert len(vectors) >= len(scales)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_rmac_normalises_whitens_and_normalises_each_region_before_the_sum() -> None:
    rmac_of = Pooled("rmac", FakeBackbone(), 128)
    sample = rmac_of.describe([picture(96, 128, seed) for seed in range(30)])
    whitening = learn_whitening(np.concatenate(sample), 2)
    seen = picture(96, 128, seed=99)
    regions = [
        unit((unit(region) - whitening.mean) @ whitening.projection)
        for region in rmac(FakeBackbone().conv_map(seen[None])[0])
    ]
    literal = np.sum(regions, axis=0)
    described = Summed(2, whitening).encode(rmac_of.describe([seen])[0])
    np.testing.assert_allclose(described, literal / np.linalg.norm(literal), atol=1e-4)


def test_several_scales_are_summed_after_their_normalisation() -> None:
    seen = np.repeat(np.repeat(picture(4, 6), 32, axis=0), 32, axis=1)
    whole, half = Pooled("mac", FakeBackbone(), 192), Pooled("mac", FakeBackbone(), 192, scales=(0.5,))
    both = Pooled("mac", FakeBackbone(), 192, scales=(1.0, 0.5))
    encode = Summed(3).encode
    literal = unit(encode(whole.describe([seen])[0]) + encode(half.describe([seen])[0]))
    np.testing.assert_allclose(encode(both.describe([seen])[0]), literal, atol=1e-6)


@pytest.mark.parametrize("name", list(POOLINGS))
def test_a_black_picture_stays_zero(name: str) -> None:
    assert not Pooled(name, FakeBackbone(), 64).describe([np.zeros((64, 64, 3), np.uint8)])[0].any()


def test_no_pictures_give_no_rows() -> None:
    assert Pooled("gem", FakeBackbone(), 64).describe([]) == []


@pytest.mark.parametrize(
    ("size", "prepared"), [((600, 800), (192, 256)), ((30, 40), (192, 256)), ((5, 900), (32, 256))]
)
def test_the_long_side_is_set_and_the_aspect_kept(size: tuple[int, int], prepared: tuple[int, int]) -> None:
    assert LongSideInput(256).prepare(picture(*size)).shape[:2] == prepared
