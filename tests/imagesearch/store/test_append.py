"""A snapshot that goes on from another one is as good as one written anew."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import SnapshotDamaged
from imagesearch.index import open_index
from imagesearch.store.content import Base, SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import FileEntry, Manifest
from imagesearch.store.records import RefusedFile
from imagesearch.store.snapshot import Snapshot
from imagesearch.store.versions import prune
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import (
    content,
    content_with_local_features,
    descriptor,
    image_id,
    kept_features,
    record,
)


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path / "grown")


@pytest.fixture
def anew(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path / "anew")


def addition(base: Manifest, seeds: Iterable[int], deleted: Iterable[int] = ()) -> SnapshotContent:
    return replace(content(seeds), base=Base(base, [image_id(seed) for seed in deleted]))


def grown(layout: StoreLayout) -> Manifest:
    """Images 0 to 79 in four segments; 3, 13 and 63 are deleted and 13 has come back."""
    first = publish(layout, content(range(50)))
    second = publish(layout, addition(first, range(50, 60), deleted=[3, 13]))
    third = publish(layout, addition(second, [13, *range(60, 70)]))
    return publish(layout, addition(third, range(70, 80), deleted=[63]))


REMAINING = sorted(set(range(80)) - {3, 63})


def test_exact_search_finds_the_same_images_at_the_same_distances(
    layout: StoreLayout, anew: StoreLayout
) -> None:
    grown(layout)
    publish(anew, content(REMAINING))
    answers = []
    for each in (layout, anew):
        with Snapshot.open(each) as snapshot:
            index = open_index("exact", each.snapshot_dir("000001"), snapshot.descriptors, threads=2)
            assert len(index) == snapshot.manifest.count == len(REMAINING)
            queries = np.stack([descriptor(seed) for seed in range(80, 90)]).astype(np.float32)
            found = index.search(queries, 90)
            assert (found.rows[:, len(REMAINING) :] == -1).all()
            hits = [snapshot.records(rows) for rows in found.rows[:, : len(REMAINING)].tolist()]
            answers.append((hits, found.distances.tolist(), snapshot.background_distances.tolist()))
    assert answers[0] == answers[1]


def test_equal_distances_are_ordered_by_id_across_segments_and_at_the_edge(
    layout: StoreLayout,
) -> None:
    """All images have one descriptor, so that nothing but the ids can order them."""

    def copies(seeds: Iterable[int]) -> SnapshotContent:
        listed = content(seeds)
        return replace(listed, images=[(image, descriptor(0)) for image, _ in listed.images])

    first = publish(layout, copies(range(30)))
    publish(layout, replace(copies(range(30, 60)), base=Base(first, [image_id(7)])))
    expected = sorted(image_id(seed) for seed in range(60) if seed != 7)
    with Snapshot.open(layout) as snapshot:
        index = open_index("exact", layout.snapshot_dir("000002"), snapshot.descriptors, threads=2)
        for k in (1, 5, 30, 59):
            rows = index.search(descriptor(0)[None].astype(np.float32), k).rows[0]
            assert [image.image_id for image in snapshot.records(rows.tolist())] == expected[:k]


def test_a_deleted_image_is_nowhere(layout: StoreLayout) -> None:
    manifest = grown(layout)
    assert (manifest.count, manifest.rows, manifest.segment_rows) == (78, 81, [50, 10, 11, 10])
    with Snapshot.open(layout) as snapshot:
        expected = sorted(image_id(seed) for seed in REMAINING)
        assert [image.image_id for image in snapshot.page("", 1_000)] == expected
        assert [image.image_id for image in snapshot.sample(1_000)] == expected
        assert snapshot.row_of(image_id(3)) is None
        with pytest.raises(IndexError):
            snapshot.records([sorted(map(image_id, range(50))).index(image_id(3))])


def test_pages_samples_and_records_are_those_of_a_snapshot_written_anew(
    layout: StoreLayout, anew: StoreLayout
) -> None:
    grown(layout)
    publish(anew, content(REMAINING))
    with Snapshot.open(layout) as one, Snapshot.open(anew) as other:
        assert one.sample(7) == other.sample(7)
        assert one.page(image_id(20), 9) == other.page(image_id(20), 9)
        for seed in REMAINING:
            row = one.row_of(image_id(seed))
            assert row is not None
            assert one.records([row]) == [record(seed)]
            np.testing.assert_array_equal(one.descriptors[row], descriptor(seed))


def test_segments_are_linked_not_written_again(layout: StoreLayout) -> None:
    first = publish(layout, content(range(50)))
    second = publish(layout, addition(first, [50]))
    name = "segment-0.descriptors.npy"
    assert (layout.snapshot_dir("000001") / name).samefile(layout.snapshot_dir("000002") / name)
    assert second.files[name] == first.files[name]
    assert "segment-1.descriptors.npy" in second.files


def test_where_files_cannot_be_linked_they_are_copied(
    layout: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    first = publish(layout, content(range(50)))
    monkeypatch.setattr(os, "link", refuse)
    publish(layout, addition(first, [50]))
    assert Manifest.read(layout.snapshot_dir("000002")).damage(layout.snapshot_dir("000002")) == []
    with Snapshot.open(layout) as snapshot:
        assert len(snapshot.page("", 100)) == 51


def test_without_new_images_there_is_no_new_segment(layout: StoreLayout) -> None:
    first = publish(layout, content(range(50)))
    assert publish(layout, addition(first, [], deleted=[1])).segment_rows == [50]


def test_paths_dates_and_refused_files_are_brought_up_to_date(layout: StoreLayout) -> None:
    first = publish(layout, content(range(9), refused=[RefusedFile("old.jpg", "EMPTY_IMAGE", "Empty.")]))
    moved = replace(record(4, "elsewhere.jpg", "here.jpg"), taken_at="2019-07-14T18:03:22")
    refused = [RefusedFile("new.jpg", "EMPTY_IMAGE", "Empty.")]
    publish(layout, replace(content([], refused), base=Base(first, moved=[moved])))
    with Snapshot.open(layout) as snapshot:
        row = snapshot.row_of(image_id(4))
        assert row is not None
        assert snapshot.records([row]) == [moved]
        assert snapshot.refused(10) == refused
        assert snapshot.manifest.refused_count == 1


def test_local_features_go_with_their_images(layout: StoreLayout) -> None:
    first = publish(layout, content_with_local_features(range(9)))
    publish(layout, replace(content_with_local_features(range(9, 20)), base=Base(first, [image_id(2)])))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.local_features is not None
        for seed in set(range(20)) - {2}:
            row = snapshot.row_of(image_id(seed))
            assert row is not None
            stored = snapshot.local_features.features(row)
            np.testing.assert_array_equal(stored.root_sift, kept_features(seed).root_sift)


def test_pruning_what_it_goes_on_from_harms_nothing(layout: StoreLayout) -> None:
    grown(layout)
    assert prune(layout, keep=1) == ["000001", "000002", "000003"]
    directory = layout.snapshot_dir("000004")
    assert Manifest.read(directory).damage(directory) == []


@pytest.mark.parametrize("harm", ["beyond the rows", "one less"])
def test_an_order_that_does_not_fit_the_rows_is_damage(layout: StoreLayout, harm: str) -> None:
    grown(layout)
    directory = layout.snapshot_dir("000004")
    order = np.load(directory / "order.npy")
    np.save(directory / "order.npy", order[:-1] if harm == "one less" else order + 3)
    manifest = Manifest.read(directory)
    files = manifest.files | {"order.npy": FileEntry.of(directory / "order.npy")}
    manifest.model_copy(update={"files": files}).write(directory)
    with pytest.raises(SnapshotDamaged):
        Snapshot.open(layout)
