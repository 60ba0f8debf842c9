from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.ranking.localization import (
    MIN_SHARE,
    box_cosines,
    coarse_boxes,
    coarse_maxima,
    localize,
    region_of,
)

ALPHA = 10
"""Of the paper's approximation."""


def random_map(height: int = 7, width: int = 9, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 32, (height, width, 6)).astype(np.uint8)


def cosine_literally(target: list[float], conv_map: NDArray[np.uint8], box: tuple[int, ...]) -> float:
    top, left, bottom, right = box
    pooled = [
        max(int(conv_map[y, x, channel]) for y in range(top, bottom) for x in range(left, right))
        for channel in range(conv_map.shape[2])
    ]
    return sum(a * b for a, b in zip(target, pooled, strict=True)) / math.hypot(*pooled)


def cosine_by_the_integral_image(
    target: NDArray[np.float32], conv_map: NDArray[np.uint8], box: tuple[int, ...]
) -> float:
    """The paper's section 4.1: the generalised mean over a rectangle from four sums."""
    height, width, channels = conv_map.shape
    sums = np.zeros((height + 1, width + 1, channels))
    sums[1:, 1:] = (conv_map.astype(np.float64) ** ALPHA).cumsum(axis=0).cumsum(axis=1)
    top, left, bottom, right = box
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    pooled = np.maximum(inside, 0) ** (1 / ALPHA)
    return float(pooled @ target / np.linalg.norm(pooled))


@pytest.mark.parametrize("size", [(7, 9), (6, 9), (3, 14), (1, 20), (2, 2)])
def test_the_maxima_of_the_grid_are_those_of_each_rectangle(size: tuple[int, int]) -> None:
    conv_map = random_map(*size)
    boxes, maxima = coarse_boxes(*size), coarse_maxima(conv_map)
    assert len(boxes) == len(maxima) > 0
    for (top, left, bottom, right), found in zip(boxes, maxima, strict=True):
        assert bottom - top >= MIN_SHARE * size[0] and right - left >= MIN_SHARE * size[1]
        np.testing.assert_array_equal(found, conv_map[top:bottom, left:right].max(axis=(0, 1)))


def test_the_cosine_of_every_rectangle_is_that_of_the_literal_formula() -> None:
    conv_map, target = random_map(), l2_normalised(np.arange(6, dtype=np.float32))
    boxes = coarse_boxes(7, 9)
    literal = [cosine_literally(target.tolist(), conv_map, tuple(box)) for box in boxes]
    np.testing.assert_allclose(box_cosines(target, conv_map, boxes), literal, atol=1e-5)


def test_the_integral_image_of_the_paper_approximates_it() -> None:
    conv_map, target = random_map(14, 20), l2_normalised(np.arange(6, dtype=np.float32))
    boxes = coarse_boxes(14, 20)
    approximate = [cosine_by_the_integral_image(target, conv_map, tuple(box)) for box in boxes]
    np.testing.assert_allclose(box_cosines(target, conv_map, boxes), approximate, atol=0.03)


def test_no_step_from_the_answer_is_better() -> None:
    conv_map, query = random_map(14, 20), np.arange(6, dtype=np.float32)
    found = localize(query, conv_map)
    assert found is not None
    region = found.region
    edges = [
        region.y * 14,
        region.x * 20,
        (region.y + region.height) * 14,
        (region.x + region.width) * 20,
    ]
    box = np.rint(edges).astype(np.int64)
    around = [box + step * unit for unit in np.eye(4, dtype=np.int64) for step in (-1, 1)]
    allowed = [
        (top, left, bottom, right)
        for top, left, bottom, right in around
        if min(top, left) >= 0 and bottom <= 14 and right <= 20 and bottom - top >= 3 and right - left >= 4
    ]
    assert box_cosines(l2_normalised(query), conv_map, np.array(allowed)).max() <= found.cosine + 1e-6
    coarse = box_cosines(l2_normalised(query), conv_map, coarse_boxes(14, 20))
    assert found.cosine >= coarse.max() - 1e-6


@pytest.mark.parametrize("place", [(0, 0), (4, 7), (9, 13)])
def test_a_planted_object_is_found_where_it_is(place: tuple[int, int]) -> None:
    rng, (top, left) = np.random.default_rng(1), place
    background = rng.integers(0, 10, (15, 20, 40)).astype(np.uint8)
    background[..., :20] = 0
    planted = np.zeros((6, 7, 40), np.uint8)
    planted[..., :20] = rng.integers(0, 32, (6, 7, 20))
    background[top : top + 6, left : left + 7] = planted
    found = localize(planted.max(axis=(0, 1)).astype(np.float32), background)
    assert found is not None
    expected = np.array([left, top, 7, 6])
    region = found.region
    cells = np.array([region.x * 20, region.y * 15, region.width * 20, region.height * 15])
    assert np.abs(cells - expected).max() <= 2
    assert found.cosine > 0.98


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 2), (2, 3)])
def test_small_and_narrow_maps_give_a_region_within_the_picture(size: tuple[int, int]) -> None:
    found = localize(np.ones(6, np.float32), random_map(*size))
    assert found is not None
    assert found.region.width > 0 and found.region.height > 0


def test_boxes_at_the_border_are_valid_regions_whatever_the_rounding() -> None:
    for length in range(1, 65):
        for start in range(length):
            region = region_of(np.array([start, start, length, length]), length, length)
            assert region.x + region.width == pytest.approx(1)


def test_nothing_answers_in_a_black_picture_nor_a_black_query_nor_without_a_common_channel() -> None:
    conv_map = random_map()
    assert localize(np.ones(6, np.float32), np.zeros_like(conv_map)) is None
    assert localize(np.zeros(6, np.float32), conv_map) is None
    conv_map[..., 0] = 0
    assert localize(np.array([1, 0, 0, 0, 0, 0], np.float32), conv_map) is None
