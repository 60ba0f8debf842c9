from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.conv_maps.storage import from_bytes, to_bytes
from imagesearch.errors import SnapshotDamaged
from imagesearch.store.content import Base, SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.manifest import FileEntry, Manifest
from imagesearch.store.snapshot import Snapshot
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import RECIPE, content, described, file, image_id

RECIPE_WITH_MAPS = replace(RECIPE, localization=True)
NAMES = ("segment-0.conv_maps.npy", "segment-0.conv_map_starts.npy")


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path)


def blob(seed: int) -> bytes:
    shape = (1 + seed % 4, 1 + seed % 3, 5)
    return to_bytes(np.random.default_rng(seed).random(shape, np.float32))


def content_with_maps(seeds: Iterable[int]) -> SnapshotContent:
    listed = sorted(seeds, key=image_id)
    return replace(content(listed), recipe=RECIPE_WITH_MAPS, conv_maps=[blob(seed) for seed in listed])


def assert_each_has_its_own(layout: StoreLayout, seeds: Iterable[int]) -> None:
    with Snapshot.open(layout) as snapshot:
        assert snapshot.conv_maps is not None
        for seed in seeds:
            row = snapshot.row_of(image_id(seed))
            assert row is not None
            np.testing.assert_array_equal(snapshot.conv_maps.codes(row), from_bytes(blob(seed)))


def test_each_row_has_the_map_of_its_image_also_in_a_later_segment(layout: StoreLayout) -> None:
    first = publish(layout, content_with_maps(range(20)))
    assert_each_has_its_own(layout, range(20))
    publish(layout, replace(content_with_maps(range(20, 26)), base=Base(first, [image_id(3)])))
    assert_each_has_its_own(layout, set(range(26)) - {3})


def test_the_blobs_are_mapped_and_hashed(layout: StoreLayout) -> None:
    manifest = publish(layout, content_with_maps(range(9)))
    assert manifest.localization and set(NAMES) <= set(manifest.files)
    with Snapshot.open(layout) as snapshot:
        assert snapshot.conv_maps is not None
        assert isinstance(snapshot.conv_maps.parts[0].blobs, np.memmap)


def test_a_snapshot_published_without_has_none(layout: StoreLayout) -> None:
    manifest = publish(layout, content(range(3)))
    assert not manifest.localization and not set(NAMES) & set(manifest.files)
    with Snapshot.open(layout) as snapshot:
        assert snapshot.conv_maps is None


def test_an_empty_collection_has_an_empty_table(layout: StoreLayout) -> None:
    publish(layout, content_with_maps([]))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.conv_maps is not None and len(snapshot.conv_maps) == 0


@pytest.mark.parametrize("count", [2, 4])
def test_one_blob_an_image_or_nothing_is_published(layout: StoreLayout, count: int) -> None:
    blobs = [blob(seed) for seed in range(count)]
    with pytest.raises(ValueError, match="zip"):
        publish(layout, replace(content_with_maps(range(3)), conv_maps=blobs))
    assert not layout.current_path.exists()


@pytest.mark.parametrize("name", NAMES)
def test_files_that_do_not_fit_each_other_are_damage(layout: StoreLayout, name: str) -> None:
    """Though each of them is what the manifest says."""
    publish(layout, content_with_maps(range(9)))
    directory = layout.snapshot_dir("000001")
    np.save(directory / name, np.load(directory / name)[:-1])
    manifest = Manifest.read(directory)
    files = manifest.files | {name: FileEntry.of(directory / name)}
    manifest.model_copy(update={"files": files}).write(directory)
    with pytest.raises(SnapshotDamaged):
        Snapshot.open(layout)


def test_the_ledger_keeps_a_map_with_its_image_and_drops_it_with_it(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "ledger.sqlite3", RECIPE_WITH_MAPS, "") as ledger:
        ledger.add(replace(described(seed), conv_map=blob(seed)) for seed in range(4))
        by_id = sorted(range(4), key=image_id)
        assert list(ledger.conv_maps()) == [blob(seed) for seed in by_id]
        assert list(ledger.conv_maps([image_id(2)])) == [blob(2)]
        ledger.forget([file("1.jpg").path])
        assert list(ledger.conv_maps()) == [blob(seed) for seed in by_id if seed != 1]
    reopened = Ledger.open(tmp_path / "ledger.sqlite3")
    assert reopened is not None
    with reopened:
        assert reopened.recipe == RECIPE_WITH_MAPS
