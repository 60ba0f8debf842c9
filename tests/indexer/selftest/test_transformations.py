from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.selftest.transformations import (
    TRANSFORMATIONS,
    Transformation,
    blurred,
    cropped,
    on_its_side,
    recompressed,
    relit,
    screenshot,
    shrunk,
    tilted,
    tinted,
    turned,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def picture(height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    """Random colours, none of them black."""
    return rng(7).integers(1, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(60, 80), (1, 1), (2, 900), (20, 20)])
@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda each: each.name)
def test_every_transformation_gives_a_picture_and_the_same_one_each_time(
    transformation: Transformation, size: tuple[int, int]
) -> None:
    rgb = picture(*size)
    before = rgb.copy()
    altered = transformation.apply(rgb, rng(3))
    assert altered.dtype == np.uint8
    assert altered.ndim == 3 and altered.shape[2] == 3 and min(altered.shape[:2]) >= 1
    assert np.array_equal(altered, transformation.apply(rgb, rng(3)))
    assert np.array_equal(rgb, before)


def test_every_transformation_has_a_name_of_its_own_and_all_but_the_control_change_the_picture() -> None:
    assert len({each.name for each in TRANSFORMATIONS}) == len(TRANSFORMATIONS)
    rgb = picture(300, 400)
    unaltered = [each.name for each in TRANSFORMATIONS if np.array_equal(each.apply(rgb, rng()), rgb)]
    assert unaltered == ["unchanged"]


def test_a_crop_is_a_part_of_the_picture_of_its_shape() -> None:
    rgb = picture(100, 200)
    part = cropped(rgb, rng(), area=0.25)
    assert part.shape == (50, 100, 3)
    places = [
        (top, left)
        for top in range(51)
        for left in range(101)
        if np.array_equal(rgb[top : top + 50, left : left + 100], part)
    ]
    assert len(places) == 1


def test_crops_lie_anywhere() -> None:
    rgb = picture(100, 200)
    assert len({cropped(rgb, rng(seed), area=0.5).tobytes() for seed in range(5)}) == 5


@pytest.mark.parametrize("size", [(60, 80), (80, 60), (50, 200)])
@pytest.mark.parametrize("seed", range(4))
def test_a_tilted_picture_has_no_empty_corners(size: tuple[int, int], seed: int) -> None:
    white = np.full((*size, 3), 255, np.uint8)
    altered = tilted(white, rng(seed), most_degrees=10)
    assert altered.min() == 255
    assert altered.shape[1] / altered.shape[0] == pytest.approx(size[1] / size[0], rel=0.1)
    assert altered.size > white.size / 5


def test_a_picture_on_its_side_lies_to_the_left_or_to_the_right() -> None:
    rgb = picture()
    sides = {on_its_side(rgb, rng(seed)).tobytes() for seed in range(20)}
    assert sides == {np.ascontiguousarray(np.rot90(rgb, turns)).tobytes() for turns in (1, 3)}


def test_a_turned_picture_is_whole() -> None:
    white = np.full((60, 80, 3), 255, np.uint8)
    altered = turned(white, rng(1))
    assert np.count_nonzero(altered > 127) / 3 == pytest.approx(60 * 80, rel=0.02)
    assert altered.min() == 0


def test_a_lower_quality_loses_more() -> None:
    rgb = picture()
    losses = [np.abs(recompressed(rgb, rng(), quality).astype(int) - rgb).mean() for quality in (90, 50, 10)]
    assert 0 < losses[0] < losses[1] < losses[2]


def test_shrinking_never_enlarges() -> None:
    assert shrunk(picture(60, 80), rng(), long_side_px=40).shape == (30, 40, 3)
    assert np.array_equal(shrunk(picture(60, 80), rng(), long_side_px=100), picture(60, 80))


def test_a_blur_grows_with_the_picture() -> None:
    softened = []
    for side in (100, 400):
        edge = np.zeros((side, side, 3), np.uint8)
        edge[:, side // 2 :] = 255
        row = blurred(edge, rng(), sigma=0.02)[0, :, 0]
        softened.append(np.count_nonzero((row > 0) & (row < 255)))
    assert softened[1] == pytest.approx(4 * softened[0], rel=0.25)


def test_gamma_keeps_black_and_white() -> None:
    tones = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    dark, bright = relit(tones, rng(), 2.2)[0, :, 0], relit(tones, rng(), 1 / 2.2)[0, :, 0]
    assert (dark[0], dark[255], bright[0], bright[255]) == (0, 255, 0, 255)
    assert dark[128] == round(255 * (128 / 255) ** 2.2)
    assert bright[128] > 128 > dark[128]


def test_a_tint_multiplies_and_cuts_off() -> None:
    assert tinted(np.full((1, 1, 3), 200, np.uint8), rng(), (1.5, 1.0, 0.5)).tolist() == [[[255, 200, 100]]]


def test_a_screenshot_shows_the_whole_picture_on_a_page() -> None:
    red = np.zeros((60, 80, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    page = screenshot(red, rng(), scale=0.5)
    assert page.shape == (45, 44, 3)
    assert np.count_nonzero((page == [255, 0, 0]).all(axis=2)) == 30 * 40
