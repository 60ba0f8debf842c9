from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged
from imagesearch.local_features import LocalFeatures
from imagesearch.local_features.votes import most_voted
from imagesearch.store import table_files
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import FileEntry, Manifest
from imagesearch.store.snapshot import Snapshot
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import content, content_with_local_features, image_id, kept_features

NAMES = ("segment-0.local_features.npy", "segment-0.local_starts.npy", "segment-0.local_sizes.npy")


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path)


def test_each_row_has_the_features_of_its_image(layout: StoreLayout) -> None:
    publish(layout, content_with_local_features(range(40)))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.local_features is not None
        for seed in range(40):
            row = snapshot.row_of(image_id(seed))
            assert row is not None
            stored = snapshot.local_features.features(row)
            for field in fields(LocalFeatures):
                wanted = getattr(kept_features(seed), field.name)
                np.testing.assert_array_equal(getattr(stored, field.name), wanted)


@pytest.mark.parametrize("seeds", [[], [6], [0, 6, 12]], ids=["no image", "one without", "all without"])
def test_images_without_features_are_kept_as_such(layout: StoreLayout, seeds: list[int]) -> None:
    publish(layout, content_with_local_features(seeds))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.local_features is not None
        assert [len(snapshot.local_features.features(row)) for row in range(len(seeds))] == [0] * len(seeds)


def test_the_codes_are_mapped_and_hashed(layout: StoreLayout) -> None:
    manifest = publish(layout, content_with_local_features(range(9)))
    assert set(NAMES) <= set(manifest.files)
    with Snapshot.open(layout) as snapshot:
        assert snapshot.local_features is not None
        assert isinstance(snapshot.local_features.parts[0].codes, np.memmap)


def test_a_snapshot_published_without_has_none(layout: StoreLayout) -> None:
    manifest = publish(layout, content(range(3)))
    assert not manifest.local_features
    assert not set(NAMES) & set(manifest.files)
    with Snapshot.open(layout) as snapshot:
        assert snapshot.local_features is None


@pytest.mark.parametrize("count", [2, 4])
def test_one_blob_an_image_or_nothing_is_published(layout: StoreLayout, count: int) -> None:
    blobs = list(content_with_local_features(range(count)).local_features)
    with pytest.raises(ValueError, match="zip"):
        publish(layout, replace(content_with_local_features(range(3)), local_features=blobs))
    assert not layout.current_path.exists()


@pytest.mark.parametrize("name", NAMES)
def test_files_that_do_not_fit_each_other_are_damage(layout: StoreLayout, name: str) -> None:
    """Though each of them is what the manifest says."""
    publish(layout, content_with_local_features(range(9)))
    directory = layout.snapshot_dir("000001")
    np.save(directory / name, np.load(directory / name)[:-1])
    manifest = Manifest.read(directory)
    files = manifest.files | {name: FileEntry.of(directory / name)}
    manifest.model_copy(update={"files": files}).write(directory)
    with pytest.raises(SnapshotDamaged):
        Snapshot.open(layout)


def test_images_are_found_by_votes_whichever_list_holds_them(
    layout: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "LISTED_ROWS", 7)
    publish(layout, content_with_local_features(range(20)))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.cell_lists is not None and len(snapshot.cell_lists.parts) == 3
        for seed in (1, 8, 19):
            found = most_voted(snapshot.cell_lists, [kept_features(seed)], 1)
            assert found.tolist() == [snapshot.row_of(image_id(seed))]


def test_lists_of_another_number_of_rows_are_refused(
    layout: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(layout, content_with_local_features(range(20)))
    monkeypatch.setattr(table_files, "LISTED_ROWS", 7)
    with pytest.raises(SnapshotDamaged, match="index again"):
        Snapshot.open(layout)
