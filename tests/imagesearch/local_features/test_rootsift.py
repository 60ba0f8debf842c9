from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.local_features.rootsift import RootSift, root_sift


def textured(height: int = 240, width: int = 320, seed: int = 0) -> NDArray[np.uint8]:
    """Blobs of many sizes: features all over."""
    rng = np.random.default_rng(seed)
    picture = sum(
        cv2.resize(rng.random((height // s, width // s, 3), np.float32), (width, height)) for s in (4, 8, 16)
    )
    return np.asarray(np.clip(picture / 3 * 255, 0, 255), np.uint8)


def root_sift_literally(vector: NDArray[np.float32]) -> list[float]:
    """Arandjelović & Zisserman 2012, section 3: L1-normalise, then square root of each element."""
    total = sum(float(value) for value in vector)
    return [math.sqrt(float(value) / total) for value in vector]


def test_root_sift_is_the_square_root_of_the_l1_normalised_vector() -> None:
    vectors = np.random.default_rng(1).integers(0, 255, (5, 128)).astype(np.float32)
    literal = [root_sift_literally(vector) for vector in vectors]
    np.testing.assert_allclose(root_sift(vectors), literal, rtol=1e-6)


def test_a_zero_sift_vector_stays_zero() -> None:
    assert not root_sift(np.zeros((1, 128), np.float32)).any()


def test_packed_features_agree_with_opencv_to_the_rounding() -> None:
    picture = textured()
    features = RootSift(max_features=10_000).extract(picture)
    sift = cv2.SIFT.create(contrastThreshold=0.02)
    keypoints, vectors = sift.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), None)
    order = np.lexsort(np.array([(k.angle, k.size, *k.pt, -k.response) for k in keypoints]).T)
    points = np.array([keypoints[i].pt for i in order])
    angles = np.array([keypoints[i].angle for i in order])
    assert len(features) == len(keypoints) > 50
    np.testing.assert_allclose(features.positions_px, points, atol=0.5 / 16 + 1e-4)
    np.testing.assert_allclose(features.orientations * (360 / 65_536) % 360, angles % 360, atol=0.01)
    np.testing.assert_allclose(features.root_sift, root_sift(vectors[order]), atol=0.5 / 512 + 1e-6)


def test_the_strongest_features_are_kept() -> None:
    picture = textured()
    everything = RootSift(max_features=10_000).extract(picture)
    few = RootSift(max_features=40).extract(picture)
    assert len(few) == 40
    np.testing.assert_array_equal(few.root_sift, everything.first(40).root_sift)


def test_large_pictures_are_bounded_and_small_ones_left_as_they_are() -> None:
    extractor = RootSift(long_side_px=160)
    large = extractor.extract(textured(240, 320))
    small = extractor.extract(textured(60, 80))
    assert (large.width_px, large.height_px) == (160, 120)
    assert (small.width_px, small.height_px) == (80, 60)


def test_upright_features_have_no_orientation_and_no_repeated_place() -> None:
    features = RootSift(upright=True).extract(textured())
    places = np.column_stack((features.positions, features.scales))
    assert len(features) > 50
    assert not features.orientations.any()
    assert len(np.unique(places, axis=0)) == len(features)


@pytest.mark.parametrize(("upright", "found"), [(False, True), (True, False)])
def test_only_oriented_features_recognise_a_picture_on_its_side(upright: bool, found: bool) -> None:
    extractor = RootSift(upright=upright)
    picture = textured()
    turned = np.ascontiguousarray(np.rot90(picture))
    similarity = extractor.extract(picture).root_sift @ extractor.extract(turned).root_sift.T
    assert (np.median(similarity.max(axis=1)) > 0.95) == found


@pytest.mark.parametrize("shape", [(240, 320, 3), (20, 20, 3), (1, 1, 3), (3, 4000, 3)])
@pytest.mark.parametrize("upright", [False, True])
def test_a_picture_without_texture_has_no_features(shape: tuple[int, int, int], upright: bool) -> None:
    features = RootSift(upright=upright).extract(np.zeros(shape, np.uint8))
    assert len(features) == 0
    assert features.root_sift.shape == (0, 128)
    assert features.positions_px.shape == (0, 2)
