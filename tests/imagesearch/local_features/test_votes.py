from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features import LocalFeatures, votes
from imagesearch.local_features.cells import CELLS, nearest_cells, signatures
from imagesearch.local_features.votes import CellLists, SegmentedCellLists, cell_lists, most_voted
from tests.imagesearch.local_features.random_features import some_features


def lists_of(*segments: Sequence[LocalFeatures]) -> SegmentedCellLists:
    return SegmentedCellLists([cell_lists(pictures) for pictures in segments])


def blurred(features: LocalFeatures, amount: float) -> LocalFeatures:
    """The same points seen again, a little otherwise."""
    noise = np.random.default_rng(9).normal(0, amount, features.root_sift.shape)
    seen = np.abs(features.root_sift + noise).astype(np.float32)
    return replace(features, root_sift=seen / np.linalg.norm(seen, axis=1, keepdims=True))


def test_the_nearest_cells_are_those_of_the_nearest_pair_of_halves() -> None:
    vectors = some_features(20).root_sift
    cells = nearest_cells(vectors, 4)
    assert (cells[:, :1] == nearest_cells(vectors, 1)).all()
    assert all(len(set(row)) == 4 for row in cells.tolist())
    assert (cells >= 0).all() and (cells < CELLS).all()


def test_signatures_of_one_point_differ_in_few_bits_and_those_of_others_in_half() -> None:
    features = some_features(200)
    cells = nearest_cells(features.root_sift, 1)[:, 0]
    first = signatures(features.root_sift, cells)
    again = signatures(blurred(features, 0.01).root_sift, cells)
    assert np.bitwise_count(first ^ again).mean() < 8
    assert 20 < np.bitwise_count(first ^ np.roll(first, 1)).mean() < 44


def test_the_image_that_shares_features_is_voted_for_first() -> None:
    pictures = [some_features(50, seed) for seed in range(20)]
    query = blurred(pictures[7], 0.01)
    assert most_voted(lists_of(pictures), [query], 3)[0] == 7
    assert most_voted(lists_of(pictures[:5], pictures[5:]), [query], 3)[0] == 7


def test_every_copy_of_a_picture_gets_votes() -> None:
    """What resembles many images must not fall out altogether."""
    copies = [blurred(some_features(50, 1), 0.002 * number) for number in range(12)]
    others = [some_features(50, seed) for seed in range(2, 30)]
    rows = most_voted(lists_of([*others, *copies]), [some_features(50, 1)], 12)
    assert sorted(rows.tolist()) == list(range(len(others), len(others) + 12))


def test_a_row_that_is_left_out_takes_nobodys_votes() -> None:
    pictures = [some_features(50, 3), some_features(50, 4), blurred(some_features(50, 3), 0.01)]
    among = np.array([False, True, True])
    assert most_voted(lists_of(pictures), [pictures[0]], 3, among)[0] == 2


def test_of_several_photos_each_finds_its_own() -> None:
    pictures = [some_features(50, seed) for seed in range(10)]
    rows = most_voted(lists_of(pictures), [pictures[2], pictures[8]], 2)
    assert set(rows.tolist()) == {2, 8}


def test_no_more_is_compared_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest cell of each feature comes first, so that little is lost."""
    pictures = [some_features(50, seed) for seed in range(10)]
    monkeypatch.setattr(votes, "MAX_COMPARISONS", 100)
    assert most_voted(lists_of(pictures), [pictures[2]], 1).tolist() == [2]
    monkeypatch.setattr(votes, "MAX_COMPARISONS", 0)
    assert most_voted(lists_of(pictures), [pictures[2]], 1).tolist() == []


def test_a_picture_without_features_votes_for_none_and_gets_no_votes() -> None:
    nothing = some_features(0)
    pictures = [nothing, some_features(50, 1)]
    assert most_voted(lists_of(pictures), [nothing], 2).tolist() == []
    assert most_voted(lists_of(pictures), [pictures[1]], 2).tolist() == [1]
    assert most_voted(lists_of([]), [pictures[1]], 2).tolist() == []


def test_lists_that_do_not_fit_one_another_are_refused() -> None:
    lists = cell_lists([some_features(5)])
    with pytest.raises(SnapshotDamaged, match="index again"):
        CellLists(1, lists.starts, lists.rows[1:], lists.signatures)
