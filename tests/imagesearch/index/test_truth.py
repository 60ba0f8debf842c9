from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged
from imagesearch.index import DescriptorMatrix
from imagesearch.index.building.truth import DEPTH, TRUTH_FILE, K, Truth, find_truth, grown_truth
from imagesearch.index.exact import ExactIndex
from imagesearch.index.half_precision import widened
from tests.imagesearch.index.test_builder import photos_like

OLD, NEW = 900, 100
PARTS = [photos_like(OLD, 32, seed=1), photos_like(NEW, 32, seed=2)]


def matrix_without(deleted: list[int]) -> DescriptorMatrix:
    order = np.setdiff1d(np.arange(OLD + NEW), deleted).astype(np.uint32)
    return DescriptorMatrix(PARTS, order)


def before() -> Truth:
    return find_truth(DescriptorMatrix(PARTS[:1]), 60, np.random.default_rng(0))


def grown(descriptors: DescriptorMatrix) -> Truth:
    return grown_truth(before(), descriptors, OLD, 2, np.random.default_rng(1))


def assert_true(truth: Truth, descriptors: DescriptorMatrix) -> None:
    exact = ExactIndex(descriptors, 1).search(widened(descriptors[truth.own_rows]), DEPTH)
    known = truth.nearest.rows >= 0
    assert known[:, : K + 1].all()
    np.testing.assert_allclose(truth.nearest.distances[known], exact.distances[known], atol=1e-5)
    assert (np.isinf(truth.nearest.distances) == ~known).all()


def test_after_growth_it_is_what_comparing_all_would_find() -> None:
    descriptors = matrix_without([])
    truth = grown(descriptors)
    assert_true(truth, descriptors)
    assert len(truth.own_rows) == 60
    of_new = truth.own_rows >= OLD
    assert np.count_nonzero(of_new) == 6  # a tenth of the images are new
    assert (truth.nearest.rows[~of_new] >= OLD).any()  # new images are neighbours of old samples


def test_the_samples_stay_spread_over_the_collection_however_often_it_grows() -> None:
    descriptors = matrix_without([])
    truth = grown(descriptors)
    for seed in range(10):
        truth = grown_truth(truth, descriptors, OLD + NEW - 2, 1, np.random.default_rng(seed))
    assert len(truth.own_rows) == 60
    assert np.count_nonzero(truth.own_rows < OLD / 2) >= 10


def test_deleted_images_are_neither_samples_nor_neighbours() -> None:
    old = before()
    deleted = [*old.own_rows[:5].tolist(), *old.nearest.rows[5:30, 1:4].ravel().tolist()]
    descriptors = matrix_without(deleted)
    truth = grown(descriptors)
    assert_true(truth, descriptors)
    assert not np.isin(truth.own_rows, deleted).any()
    assert not np.isin(truth.nearest.rows, deleted).any()


def test_a_sample_that_lost_too_many_neighbours_is_left_out() -> None:
    old = before()
    sample = old.own_rows[-1]
    descriptors = matrix_without(old.nearest.rows[-1, 1 : DEPTH - 3].tolist())
    truth = grown(descriptors)
    assert sample in old.own_rows and sample not in truth.own_rows
    assert_true(truth, descriptors)


def test_where_all_old_samples_are_gone_only_new_ones_are_left() -> None:
    descriptors = matrix_without(before().own_rows.tolist())
    truth = grown(descriptors)
    assert_true(truth, descriptors)
    assert len(truth.own_rows) == 6 and (truth.own_rows >= OLD).all()


def test_without_new_images_the_old_samples_stay() -> None:
    descriptors = matrix_without(list(range(OLD, OLD + NEW)))
    truth = grown(descriptors)
    assert_true(truth, descriptors)
    assert truth.own_rows.tolist() == before().own_rows.tolist()


def test_it_comes_back_from_its_file_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert Truth.read(tmp_path) is None
    before().write(tmp_path)
    again = Truth.read(tmp_path)
    assert again is not None
    np.testing.assert_array_equal(again.nearest.rows, before().nearest.rows)
    (tmp_path / TRUTH_FILE).write_bytes(b"no archive")
    with pytest.raises(SnapshotDamaged, match="self-test"):
        Truth.read(tmp_path)
