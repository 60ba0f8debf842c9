from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.store import snapshot_writer
from imagesearch.store import versions as publishing
from imagesearch.store.content import SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import Manifest
from imagesearch.store.records import ImageRecord
from imagesearch.store.snapshot import Snapshot, current_version
from imagesearch.store.versions import prune, versions
from indexer import new_snapshot
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import RECIPE, content, descriptor, record


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path / "store")


def test_the_manifest_says_what_was_published(layout: StoreLayout) -> None:
    published = publish(layout, content(range(3), note="Because."))
    read = Manifest.read(layout.snapshot_dir("000001"))
    assert read == published
    assert (read.version, read.count, read.dim, read.recipe) == ("000001", 3, RECIPE.dim, RECIPE)
    assert (read.index.kind, read.model_note) == ("exact", "Because.")
    age = datetime.now(UTC) - datetime.fromisoformat(read.created)
    assert timedelta(0) <= age < timedelta(minutes=5)
    names = {"segment-0.descriptors.npy", "encoding.npz", "images.sqlite3", "order.npy", "calibration.npy"}
    assert set(read.files) == names


def test_the_same_content_is_published_as_the_same_bytes(layout: StoreLayout) -> None:
    first, second = (publish(layout, content(range(30))) for _ in range(2))
    assert first.files == second.files


def test_descriptors_are_a_little_endian_matrix_that_numpy_reads(layout: StoreLayout) -> None:
    publish(layout, content(range(3)))
    matrix = np.load(layout.snapshot_dir("000001") / "segment-0.descriptors.npy", allow_pickle=False)
    assert (matrix.dtype.str, matrix.shape, matrix.flags["C_CONTIGUOUS"]) == ("<f2", (3, RECIPE.dim), True)


def test_versions_grow_even_past_pruned_ones(layout: StoreLayout) -> None:
    assert [publish(layout, content([seed])).version for seed in range(3)] == ["000001", "000002", "000003"]
    assert prune(layout, keep=1) == ["000001", "000002"]
    assert publish(layout, content([4])).version == "000004"
    assert versions(layout) == ["000003", "000004"]


def test_versions_go_on_after_a_million(layout: StoreLayout) -> None:
    publish(layout, content([0]))
    layout.snapshot_dir("000001").rename(layout.snapshot_dir("999999"))
    assert publish(layout, content([1])).version == "1000000"
    assert versions(layout) == ["999999", "1000000"]


def test_what_a_killed_publisher_left_is_removed(layout: StoreLayout) -> None:
    leftover = layout.snapshots_dir / ".000001.new"
    leftover.mkdir(parents=True)
    (leftover / "descriptors.npy").write_bytes(b"half")
    publish(layout, content(range(2)))
    assert [path.name for path in layout.snapshots_dir.iterdir()] == ["000001"]


def test_a_snapshot_that_never_became_live_keeps_its_number(layout: StoreLayout) -> None:
    publish(layout, content([0]))
    layout.snapshot_dir("000001").rename(layout.snapshot_dir("000005"))
    layout.current_path.unlink()
    assert publish(layout, content([0])).version == "000006"


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (new_snapshot, "background_distances"),
        (snapshot_writer, "sync_file"),
        (snapshot_writer, "sync_directory"),
        (publishing, "sync_directory"),
        (publishing, "replace_file"),
    ],
)
def test_a_failure_at_any_step_leaves_the_live_snapshot_as_it_was(
    layout: StoreLayout, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    publish(layout, content(range(4)))

    def fail(*_: object) -> None:
        raise OSError("the disk has gone")

    with monkeypatch.context() as patch:
        patch.setattr(module, step, fail)
        with pytest.raises(OSError, match="the disk has gone"):
            publish(layout, content(range(9)))
    with Snapshot.open(layout) as snapshot:
        assert (snapshot.manifest.version, snapshot.manifest.count) == ("000001", 4)
    assert list(layout.snapshots_dir.glob(".*")) == []
    assert publish(layout, content(range(9))).version > "000001"


@pytest.mark.parametrize(
    "rows",
    [
        [(record(1), descriptor(1))],
        [(record(1), descriptor(1)), (record(1), descriptor(1))],
        [(record(1), descriptor(1)[:-1]), (record(2), descriptor(2))],
    ],
    ids=["too few", "twice the same", "too short"],
)
def test_rows_that_are_not_what_was_promised_are_not_published(
    layout: StoreLayout, rows: list[tuple[ImageRecord, NDArray[np.float16]]]
) -> None:
    with pytest.raises(ValueError, match="image"):
        publish(layout, SnapshotContent(RECIPE, "", 2, rows, []))
    assert current_version(layout) is None


def test_a_collection_is_written_as_it_streams(layout: StoreLayout) -> None:
    """No more than one row is asked for before the one before it has been taken."""
    alive = []

    def rows() -> Iterator[tuple[ImageRecord, NDArray[np.float16]]]:
        for row in content(range(100)).images:
            alive.append(row)
            yield row
            alive.remove(row)
            assert alive == []

    publish(layout, SnapshotContent(RECIPE, "", 100, rows(), []))
    assert Manifest.read(layout.snapshot_dir("000001")).count == 100


def test_the_manifest_is_json_with_the_documented_keys(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    keys = json.loads((layout.snapshot_dir("000001") / "manifest.json").read_text())
    documented = (Path(__file__).parents[3] / "docs" / "store-format.md").read_text("utf-8")
    assert [key for key in keys if f"`{key}`" not in documented] == []


def test_pruning_keeps_the_live_snapshot_however_old(layout: StoreLayout) -> None:
    for seed in range(4):
        publish(layout, content([seed]))
    layout.current_path.write_text("000002\n")
    assert prune(layout, keep=1) == ["000001", "000003"]
    with Snapshot.open(layout) as snapshot:
        assert snapshot.manifest.version == "000002"


def test_pruning_what_is_not_there_removes_nothing(layout: StoreLayout) -> None:
    publish(layout, content([0]))
    assert prune(layout, keep=5) == []
