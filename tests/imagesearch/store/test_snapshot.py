from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged, SnapshotOutdated, StoreMissing
from imagesearch.store.layout import StoreLayout
from imagesearch.store.records import RefusedFile
from imagesearch.store.snapshot import Snapshot, current_version
from imagesearch.store.versions import prune
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import RECIPE, content, descriptor, image_id, record


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path)


def test_rows_are_in_ascending_order_of_id_and_hold_each_images_descriptor(layout: StoreLayout) -> None:
    publish(layout, content(range(20)))
    with Snapshot.open(layout) as snapshot:
        assert [image.image_id for image in snapshot.records(range(20))] == sorted(map(image_id, range(20)))
        for seed in range(20):
            row = snapshot.row_of(image_id(seed))
            assert row is not None
            np.testing.assert_array_equal(snapshot.descriptors[row], descriptor(seed))


def test_records_come_in_the_order_asked_for_and_repeat(layout: StoreLayout) -> None:
    publish(layout, content(range(5)))
    with Snapshot.open(layout) as snapshot:
        in_order = snapshot.records([0, 1, 2, 3, 4])
        assert snapshot.records([3, 0, 3]) == [in_order[3], in_order[0], in_order[3]]
        assert snapshot.records(np.array([2, 1]).tolist()) == [in_order[2], in_order[1]]
        assert snapshot.records([]) == []


def test_more_records_than_fit_into_one_query_come_whole(layout: StoreLayout) -> None:
    publish(layout, content(range(2_500)))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.records(range(2_500)) == snapshot.page("", 2_500)


def test_a_row_that_is_not_there_is_an_index_error(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    with Snapshot.open(layout) as snapshot, pytest.raises(IndexError):
        snapshot.records([0, 2])


def test_an_unknown_id_has_no_row(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.row_of("../../etc/passwd") is None
        assert snapshot.row_of(image_id(7)) is None


def test_every_path_of_an_image_comes_with_it_sorted(layout: StoreLayout) -> None:
    rows = content([])
    publish(
        layout,
        type(rows)(RECIPE, "", 1, [(record(1, "b.jpg", "a/é.jpg", "a/b.jpg"), descriptor(1))], []),
    )
    with Snapshot.open(layout) as snapshot:
        assert snapshot.records([0])[0].paths == ("a/b.jpg", "a/é.jpg", "b.jpg")


def test_pages_follow_each_other_without_gap_or_overlap(layout: StoreLayout) -> None:
    publish(layout, content(range(7)))
    with Snapshot.open(layout) as snapshot:
        pages, after = [], ""
        while page := snapshot.page(after, 3):
            pages.append(page)
            after = page[-1].image_id
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [image for page in pages for image in page] == snapshot.records(range(7))


@pytest.mark.parametrize(
    ("size", "rows"), [(1, [0]), (3, [0, 3, 6]), (10, list(range(10))), (99, list(range(10)))]
)
def test_a_sample_is_spread_evenly_over_the_rows(layout: StoreLayout, size: int, rows: list[int]) -> None:
    publish(layout, content(range(10)))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.sample(size) == snapshot.records(rows)


def test_refused_files_come_in_order_of_path_and_no_more_than_asked_for(layout: StoreLayout) -> None:
    files = [RefusedFile(f"{name}.jpg", "EMPTY_IMAGE", "The file is empty.") for name in "cab"]
    publish(layout, content(range(2), refused=files))
    with Snapshot.open(layout) as snapshot:
        assert [file.path for file in snapshot.refused(2)] == ["a.jpg", "b.jpg"]
        assert snapshot.manifest.refused_count == 3


@pytest.mark.parametrize("count", [0, 1])
def test_a_collection_too_small_to_calibrate_can_be_published(layout: StoreLayout, count: int) -> None:
    publish(layout, content(range(count)))
    with Snapshot.open(layout) as snapshot:
        assert (snapshot.descriptors.count, snapshot.descriptors.dim) == (count, RECIPE.dim)
        assert snapshot.background_distances.size == 0
        assert len(snapshot.sample(5)) == count


def test_background_distances_ascend_and_are_those_of_the_descriptors(layout: StoreLayout) -> None:
    publish(layout, content(range(3)))
    with Snapshot.open(layout) as snapshot:
        rows = snapshot.descriptors[snapshot.descriptors.order].astype(np.float32)
        pairs = [np.linalg.norm(rows[a] - rows[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        np.testing.assert_allclose(snapshot.background_distances, sorted(pairs), rtol=1e-5)


def test_the_descriptors_cannot_be_written(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    with Snapshot.open(layout) as snapshot, pytest.raises(ValueError, match="read-only"):
        snapshot.descriptors.parts[0][0, 0] = 1


def test_nothing_published_is_a_missing_store(layout: StoreLayout) -> None:
    assert current_version(layout) is None
    with pytest.raises(StoreMissing, match="index a folder of photos"):
        Snapshot.open(layout)


def test_an_unknown_version_is_missing(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    with pytest.raises(StoreMissing, match="000009"):
        Snapshot.open(layout, "000009")


@pytest.mark.parametrize("text", [b"", b"../../etc", b"\xff\xfe", b"000001/../x"])
def test_a_current_file_that_names_no_snapshot_is_damage(layout: StoreLayout, text: bytes) -> None:
    publish(layout, content(range(2)))
    layout.current_path.write_bytes(text)
    with pytest.raises(SnapshotDamaged, match="index again"):
        Snapshot.open(layout)


@pytest.mark.parametrize(
    "name", ["segment-0.descriptors.npy", "images.sqlite3", "order.npy", "calibration.npy", "manifest.json"]
)
@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_every_kind_of_damage_to_every_file_is_found(layout: StoreLayout, name: str, harm: str) -> None:
    publish(layout, content(range(5)))
    path = layout.snapshot_dir("000001") / name
    before = path.read_bytes()
    if harm == "remove":
        path.unlink()
    elif harm == "truncate":
        path.write_bytes(before[:-1] if name != "manifest.json" else before[:-4])
    else:
        middle = before.index(b"created") + 12 if name == "manifest.json" else len(before) // 2
        path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
    with pytest.raises(SnapshotDamaged, match="ndex again"):
        Snapshot.open(layout)


def test_a_manifest_cannot_name_files_outside_its_folder(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    path = layout.snapshot_dir("000001") / "manifest.json"
    path.with_suffix(".sha256").unlink()
    path.write_text(path.read_text().replace('"calibration.npy"', '"../../CURRENT"'))
    with pytest.raises(SnapshotDamaged):
        Snapshot.open(layout)


def test_a_snapshot_of_a_later_format_is_refused(layout: StoreLayout) -> None:
    publish(layout, content(range(2)))
    path = layout.snapshot_dir("000001") / "manifest.json"
    path.with_suffix(".sha256").unlink()
    path.write_text(path.read_text().replace('"format": 6', '"format": 7'))
    with pytest.raises(SnapshotDamaged):
        Snapshot.open(layout)


@pytest.mark.parametrize("older", [1, 2, 3, 4, 5])
def test_a_snapshot_of_an_older_format_asks_to_be_written_anew(layout: StoreLayout, older: int) -> None:
    publish(layout, content(range(2)))
    path = layout.snapshot_dir("000001") / "manifest.json"
    path.with_suffix(".sha256").unlink()
    path.write_text(path.read_text().replace('"format": 6', f'"format": {older}'))
    with pytest.raises(SnapshotOutdated, match="index again"):
        Snapshot.open(layout)


def test_a_read_only_store_can_be_read(layout: StoreLayout) -> None:
    publish(layout, content(range(3)))
    folders = [layout.root, layout.snapshots_dir, layout.snapshot_dir("000001")]
    for folder in folders:
        folder.chmod(0o555)
    try:
        with Snapshot.open(layout) as snapshot:
            assert len(snapshot.page("", 10)) == 3
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_an_open_snapshot_outlives_its_files(layout: StoreLayout) -> None:
    publish(layout, content(range(5)))
    with Snapshot.open(layout) as snapshot:
        before = snapshot.records(range(5)), snapshot.descriptors[range(5)]
        publish(layout, content(range(6)))
        assert prune(layout, keep=1) == ["000001"]
        assert snapshot.records(range(5)) == before[0]
        np.testing.assert_array_equal(snapshot.descriptors[range(5)], before[1])


def test_readers_see_the_old_or_the_new_snapshot_whole_while_others_are_published(
    layout: StoreLayout,
) -> None:
    """Version n holds the images 0 to n, and older versions are removed at once."""
    publish(layout, content(range(2)))
    done, failures, seen = threading.Event(), [], set()

    def read() -> None:
        while not done.is_set():
            try:
                with Snapshot.open(layout) as snapshot:
                    count = int(snapshot.manifest.version) + 1
                    assert snapshot.manifest.count == count == len(snapshot.descriptors)
                    assert [image.image_id for image in snapshot.page("", 1_000)] == sorted(
                        map(image_id, range(count))
                    )
                    seen.add(snapshot.manifest.version)
            except Exception as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for last in range(3, 40):
        publish(layout, content(range(last)))
        prune(layout, keep=1)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(seen) > 1


def test_many_threads_can_read_one_snapshot(layout: StoreLayout) -> None:
    publish(layout, content(range(50)))
    failures = []
    with Snapshot.open(layout) as snapshot:
        expected = snapshot.records(range(50))

        def read(seed: int) -> None:
            rng = np.random.default_rng(seed)
            for _ in range(100):
                rows = rng.permutation(50).tolist()
                if snapshot.records(rows) != [expected[row] for row in rows]:
                    failures.append(seed)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
