from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.pooling import gem, mac, rmac, rmac_grid, spoc


def random_map(height: int = 5, width: int = 8) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((height, width, 3)).astype(np.float32)


def test_spoc_is_the_literal_weighted_sum() -> None:
    seen = random_map()
    literal = [0.0, 0.0, 0.0]
    for y in range(5):
        for x in range(8):
            sigma = (5 / 2) / 3
            weight = math.exp(-((y + 0.5 - 5 / 2) ** 2 + (x + 0.5 - 8 / 2) ** 2) / (2 * sigma**2))
            literal = [
                total + weight * float(value) for total, value in zip(literal, seen[y, x], strict=True)
            ]
    np.testing.assert_allclose(spoc(seen), [literal], rtol=1e-5)


def test_mac_is_the_literal_maximum() -> None:
    seen = random_map()
    literal = [max(float(seen[y, x, c]) for y in range(5) for x in range(8)) for c in range(3)]
    np.testing.assert_array_equal(mac(seen), np.array([literal], np.float32))


def test_gem_is_the_literal_generalised_mean() -> None:
    seen = random_map()
    cells = [(y, x) for y in range(5) for x in range(8)]
    literal = [(sum(float(seen[y, x, c]) ** 3 for y, x in cells) / 40) ** (1 / 3) for c in range(3)]
    np.testing.assert_allclose(gem(seen), [literal], rtol=1e-5)


def test_rmac_takes_the_maximum_of_each_region() -> None:
    seen = random_map()
    literal = [
        [
            max(float(seen[y, x, c]) for y in range(top, top + side) for x in range(left, left + side))
            for c in range(3)
        ]
        for top, left, side in rmac_grid(5, 8)
    ]
    np.testing.assert_array_equal(rmac(seen), np.array(literal, np.float32))


def test_a_square_map_has_one_then_four_then_nine_regions() -> None:
    squares = rmac_grid(12, 12)
    assert [sum(side == wanted for _, _, side in squares) for wanted in (12, 8, 6)] == [1, 4, 9]


def test_a_map_of_four_to_three_has_twenty_regions() -> None:
    # m = 2: 1 × 2, 2 × 3 and 3 × 4 regions.
    assert len(rmac_grid(24, 32)) == 2 + 6 + 12
    assert {(left, top, side) for top, left, side in rmac_grid(24, 32)} == set(rmac_grid(32, 24))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 5), (24, 32), (2, 64), (33, 20)])
def test_regions_lie_within_the_map_and_cover_its_ends(size: tuple[int, int]) -> None:
    height, width = size
    squares = rmac_grid(height, width)
    assert min(y for y, _, _ in squares) == min(x for _, x, _ in squares) == 0
    assert max(y + side for y, _, side in squares) == height
    assert max(x + side for _, x, side in squares) == width


@pytest.mark.parametrize("ratio", [1.3, 1.5, 1.9, 2.5])
def test_neighbours_at_the_first_scale_overlap_by_nearly_forty_percent(ratio: float) -> None:
    lefts = sorted(x for _, x, side in rmac_grid(100, round(100 * ratio)) if side == 100)
    overlap = 1 - (lefts[1] - lefts[0]) / 100
    others = [1 - (ratio - 1) / (m - 1) for m in range(2, 8)]
    assert abs(overlap - 0.4) <= min(abs(other - 0.4) for other in others) + 0.011


@pytest.mark.parametrize("pool", [spoc, mac, gem, rmac])
def test_an_all_zero_map_pools_to_zero(pool: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    assert not pool(np.zeros((3, 4, 2), np.float32)).any()
