from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from samples.views import VIEWS, plan, take

SCENE = (960, 720)


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(40, 215, (18, 24, 3), np.uint8))
    return coarse.resize(SCENE, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("number", range(VIEWS))
def test_a_view_stays_inside_the_scene(number: int) -> None:
    for seed in range(50):
        view = plan(np.random.default_rng(seed), number, SCENE)
        width, height = view.size
        corners = np.asarray([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)])
        in_scene = corners @ np.asarray(view.scene_from_view).T
        assert (in_scene >= -1e-6).all()
        assert (in_scene <= np.asarray(SCENE) + 1e-6).all()


def test_the_first_view_shows_nearly_all_the_scene_upright() -> None:
    view = plan(np.random.default_rng(1), 0, SCENE)
    assert view.zoom > 0.95
    assert (view.turn_degrees, view.mirrored, view.blur_px) == (0, False, 0)


def test_a_positive_turn_is_counter_clockwise() -> None:
    turned = [plan(np.random.default_rng(seed), 2, SCENE) for seed in range(40)]
    for view in turned:
        if not view.mirrored:
            (_, to_right), (_, down) = np.asarray(view.scene_from_view)[:, :2]
            assert np.sign(-to_right) == np.sign(view.turn_degrees)
            assert down > 0


def test_the_same_chance_gives_the_same_bytes(scene: Image.Image) -> None:
    shots = []
    for _ in range(2):
        rng = np.random.default_rng(11)
        shots.append(take(scene, plan(rng, 3, SCENE), rng))
    assert shots[0] == shots[1]


def test_an_underexposed_view_is_darker_and_a_warm_one_redder(scene: Image.Image) -> None:
    rng = np.random.default_rng(5)
    view = plan(rng, 3, SCENE)
    with Image.open(io.BytesIO(take(scene, view, rng))) as image:
        red, green, blue = np.asarray(image, float).mean((0, 1)) / np.asarray(scene, float).mean((0, 1))
    assert green < 1
    assert red > green > blue
