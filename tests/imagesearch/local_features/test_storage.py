from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features.features import LocalFeatures
from imagesearch.local_features.storage import (
    RECORD,
    LocalFeatureTable,
    build_table,
    from_bytes,
    to_bytes,
)


def some_features(count: int, seed: int = 0) -> LocalFeatures:
    rng = np.random.default_rng(seed)
    return LocalFeatures(
        width_px=640,
        height_px=480 + seed,
        positions=rng.integers(0, 60_000, (count, 2)).astype(np.uint16),
        scales=rng.uniform(1, 90, count).astype(np.float16),
        orientations=rng.integers(0, 65_536, count).astype(np.uint16),
        descriptors=rng.integers(0, 256, (count, 128)).astype(np.uint8),
    )


def assert_same(first: LocalFeatures, second: LocalFeatures) -> None:
    for field in fields(LocalFeatures):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


@pytest.mark.parametrize("count", [0, 1, 70])
def test_features_survive_as_a_blob(count: int) -> None:
    assert_same(from_bytes(to_bytes(some_features(count))), some_features(count))


def test_a_feature_takes_136_bytes() -> None:
    assert len(to_bytes(some_features(11))) - len(to_bytes(some_features(1))) == 10 * 136


@pytest.mark.parametrize("cut", [-1, 3])
def test_a_cut_blob_is_recognised(cut: int) -> None:
    with pytest.raises(SnapshotDamaged):
        from_bytes(to_bytes(some_features(3))[:cut])


def test_a_table_gives_each_row_its_features_from_a_memory_map(tmp_path: Path) -> None:
    pictures = [some_features(count, seed) for seed, count in enumerate((5, 0, 9))]
    for name, array in build_table(pictures).to_arrays().items():
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
    stored = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in tmp_path.iterdir()}
    table = LocalFeatureTable.from_arrays(stored)
    assert len(table) == 3
    for row, features in enumerate(pictures):
        assert_same(table.features(row), features)


def test_an_empty_collection_has_an_empty_table() -> None:
    assert len(build_table([])) == 0


def test_arrays_that_disagree_are_refused() -> None:
    table = build_table([some_features(4)])
    with pytest.raises(SnapshotDamaged):
        LocalFeatureTable(table.records[:3], table.starts, table.sizes)
    with pytest.raises(SnapshotDamaged):
        LocalFeatureTable(table.records, table.starts, np.zeros((2, 2), np.uint32))
    with pytest.raises(SnapshotDamaged):
        LocalFeatureTable(np.empty(4, RECORD["descriptor"].base), table.starts, table.sizes)
