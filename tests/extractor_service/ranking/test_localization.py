from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from extractor_service.descriptors.normalisation import l2_normalised
from extractor_service.descriptors.pooling import mac
from extractor_service.ranking.localization import (
    ALPHA,
    box_cosines,
    coarse_boxes,
    integral,
    localize,
    region_of,
)


def random_map(height: int = 7, width: int = 9, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((height, width, 6)).astype(np.float32)


def cosine_literally(target: list[float], conv_map: NDArray[np.float32], box: tuple[int, ...]) -> float:
    top, left, bottom, right = box
    pooled = []
    for c in range(conv_map.shape[2]):
        cells = [float(conv_map[y, x, c]) for y in range(top, bottom) for x in range(left, right)]
        pooled.append(sum(cell**ALPHA for cell in cells) ** (1 / ALPHA))
    return sum(a * b for a, b in zip(target, pooled, strict=True)) / math.hypot(*pooled)


def test_the_cosine_of_every_rectangle_is_that_of_the_literal_formula() -> None:
    conv_map, target = random_map(), l2_normalised(np.arange(6, dtype=np.float32))
    boxes = coarse_boxes(7, 9)
    literal = [cosine_literally(target.tolist(), conv_map, tuple(box)) for box in boxes]
    np.testing.assert_allclose(box_cosines(target, integral(conv_map), boxes), literal, atol=1e-5)


def test_the_generalised_mean_is_close_to_the_maximum() -> None:
    conv_map = random_map()
    whole = np.array([[0, 0, 7, 9]])
    assert box_cosines(l2_normalised(mac(conv_map)[0]), integral(conv_map), whole)[0] > 0.999


@pytest.mark.parametrize("place", [(0, 0), (4, 7), (9, 13)])
def test_a_planted_object_is_found_where_it_is(place: tuple[int, int]) -> None:
    rng, (top, left) = np.random.default_rng(1), place
    background = 0.3 * rng.random((15, 20, 40)).astype(np.float32)
    background[..., :20] = 0
    planted = np.zeros((6, 7, 40), np.float32)
    planted[..., :20] = rng.random((6, 7, 20))
    background[top : top + 6, left : left + 7] = planted
    found = localize(mac(planted)[0], background)
    expected = np.array([left, top, 7, 6])
    region = found.region
    cells = np.array([region.x * 20, region.y * 15, region.width * 20, region.height * 15])
    assert np.abs(cells - expected).max() <= 2
    assert found.cosine > 0.98


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 3)])
def test_small_maps_give_a_region_within_the_picture(size: tuple[int, int]) -> None:
    found = localize(np.ones(6, np.float32), random_map(*size))
    assert found.region.width > 0 and found.region.height > 0


def test_boxes_at_the_border_are_valid_regions_whatever_the_rounding() -> None:
    for length in range(1, 65):
        for start in range(length):
            region = region_of(np.array([start, start, length, length]), length, length)
            assert region.x + region.width == pytest.approx(1)


def test_a_black_picture_answers_with_cosine_zero() -> None:
    assert localize(np.ones(6, np.float32), np.zeros((5, 5, 6), np.float32)).cosine == 0
