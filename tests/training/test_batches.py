from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import LIMITS, no_progress
from tests.training.drawn import draw_labels
from training.batches import STRETCH, Batches
from training.pictures import read_photos
from training.recipes import FinetuneRecipe


@pytest.fixture
def batches(tmp_path: Path) -> Batches:
    folder = draw_labels(tmp_path / "images", {"blues": 5, "greens": 4, "reds": 90})
    photos = read_photos(folder, tmp_path / "photos.rgb", 16, LIMITS, no_progress)
    rows = np.flatnonzero(np.arange(99) != 6)  # one of the four greens is not learnt
    return Batches(photos, rows, FinetuneRecipe(epochs=5, seed=3))


def test_a_rare_label_comes_as_often_as_a_common_one(batches: Batches) -> None:
    for index in range(5):
        assert np.bincount(batches[index][1]).tolist() == [4, 4, 4]


def test_steps_are_whole_stretches_that_show_each_photo_as_often_as_asked(batches: Batches) -> None:
    assert len(batches) == STRETCH
    assert batches.steps == 3 * STRETCH  # 98 photos, 5 times, 12 at once: 41 steps


def test_each_step_has_a_batch_of_its_own_and_always_the_same(batches: Batches) -> None:
    first = batches[1][0]
    batches.stretch = 1
    assert not np.array_equal(batches[1][0], first)
    batches.stretch = 0
    np.testing.assert_array_equal(batches[1][0], first)
