from __future__ import annotations

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features.codes import CODE, to_codes
from imagesearch.local_features.features import LocalFeatures
from imagesearch.local_features.storage import NOTHING, LocalFeatureTable, from_blob, to_blob
from tests.imagesearch.local_features.random_features import some_features


def test_a_feature_takes_22_bytes() -> None:
    assert len(to_blob(some_features(11))) - len(to_blob(some_features(1))) == 10 * 22


def test_features_survive_as_a_blob_as_near_as_codes_are() -> None:
    found = some_features(70)
    kept = from_blob(to_blob(found))
    assert (kept.width_px, kept.height_px) == (found.width_px, found.height_px)
    np.testing.assert_array_equal(kept.positions, found.positions)
    np.testing.assert_allclose(np.log2(kept.scales), np.log2(found.scales), atol=1 / 16)
    turns = (kept.orientations.astype(int) - found.orientations) / 65_536
    assert np.abs((turns + 0.5) % 1 - 0.5).max() <= 1 / 512 + 1e-6


def test_a_picture_without_features_is_a_blob_of_nothing() -> None:
    assert len(from_blob(NOTHING)) == 0


@pytest.mark.parametrize("cut", [-1, 3])
def test_a_cut_blob_is_recognised(cut: int) -> None:
    with pytest.raises(SnapshotDamaged):
        from_blob(to_blob(some_features(3))[:cut])


def table_of(features: LocalFeatures) -> LocalFeatureTable:
    codes = to_codes(features)
    return LocalFeatureTable(codes, np.array([0, len(codes)]), np.array([[640, 480]], np.uint32))


def test_arrays_that_disagree_are_refused() -> None:
    table = table_of(some_features(4))
    with pytest.raises(SnapshotDamaged):
        LocalFeatureTable(table.codes[:3], table.starts, table.sizes)
    with pytest.raises(SnapshotDamaged):
        LocalFeatureTable(table.codes, table.starts, np.zeros((2, 2), np.uint32))
    with pytest.raises(SnapshotDamaged):
        LocalFeatureTable(np.empty(4, CODE["descriptor"].base), table.starts, table.sizes)
