"""What is added to the live snapshot, and when all is written anew."""

from __future__ import annotations

import numpy as np

from imagesearch.store.manifest import Manifest
from imagesearch.store.snapshot import Snapshot, current_version
from indexer.inspection import damage
from indexer.publication import MAX_SEGMENTS
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many


def live(workplace: Workplace) -> Manifest:
    version = current_version(workplace.layout)
    assert version is not None
    return Manifest.read(workplace.layout.snapshot_dir(version))


def test_a_few_new_photos_become_a_segment_and_a_few_deleted_ones_are_masked(workplace: Workplace) -> None:
    draw_many(workplace.images, range(30))
    workplace.build()
    draw(workplace.images / "new.png", 100)
    (workplace.images / "0/0000.png").unlink()
    workplace.build()
    assert (live(workplace).segment_rows, live(workplace).count) == ([30, 1], 30)
    indexed = workplace.indexed()
    assert "new.png" in indexed and "0/0000.png" not in indexed
    thumbnails = {path.stem for path in workplace.layout.thumbnails_dir.rglob("*.webp")}
    with Snapshot.open(workplace.layout) as snapshot:
        assert thumbnails == {image.image_id for image in snapshot.page("", 100)}
    assert damage(workplace.layout, workplace.networks) == []


def test_many_changes_are_written_anew(workplace: Workplace) -> None:
    draw_many(workplace.images, range(20))
    workplace.build()
    draw_many(workplace.images, range(20, 26))
    workplace.build()
    assert live(workplace).segment_rows == [26]


def test_deletions_are_masked_only_as_long_as_they_are_few(workplace: Workplace) -> None:
    draw_many(workplace.images, range(20))
    workplace.build()
    for number in range(3):
        next(workplace.images.rglob("*.png")).unlink()
        workplace.build()
        assert live(workplace).segment_rows == [20 if number < 2 else 17]


def test_after_some_segments_all_is_written_anew(workplace: Workplace) -> None:
    draw_many(workplace.images, range(120))
    workplace.build()
    for number in range(MAX_SEGMENTS - 1):
        draw(workplace.images / f"new-{number}.png", 200 + number)
        workplace.build()
    assert len(live(workplace).segment_rows) == MAX_SEGMENTS
    draw(workplace.images / "last.png", 300)
    workplace.build()
    assert live(workplace).segment_rows == [120 + MAX_SEGMENTS]


def test_a_photo_that_moved_or_came_back_is_found_under_its_path(workplace: Workplace) -> None:
    draw_many(workplace.images, range(30))
    workplace.build()
    first, second = sorted(workplace.images.rglob("*.png"))[:2]
    content = second.read_bytes()
    first.rename(workplace.images / "moved.png")
    second.unlink()
    workplace.build()
    assert live(workplace).segment_rows == [30]
    assert workplace.indexed().keys() >= {"moved.png"}
    second.write_bytes(content)
    workplace.build()
    assert live(workplace).segment_rows == [30, 1]
    assert workplace.indexed().keys() >= {"moved.png", second.relative_to(workplace.images).as_posix()}
    assert len(workplace.indexed()) == 30


def test_a_refused_file_alone_is_published_without_a_segment(workplace: Workplace) -> None:
    draw_many(workplace.images, range(5))
    workplace.build()
    (workplace.images / "bad.png").write_bytes(b"no picture")
    assert workplace.build().published
    assert (live(workplace).segment_rows, live(workplace).refused_count) == ([5], 1)
    assert not workplace.build().published


def test_nothing_is_added_to_a_snapshot_that_this_ledger_did_not_publish(workplace: Workplace) -> None:
    draw_many(workplace.images, range(30))
    workplace.build()
    draw(workplace.images / "one.png", 100)
    workplace.build()
    workplace.layout.current_path.write_text("000001\n")
    draw(workplace.images / "two.png", 101)
    workplace.build()
    assert live(workplace).segment_rows == [32]
    assert workplace.indexed().keys() >= {"one.png", "two.png"}


def test_a_rebuild_is_written_anew_though_the_recipe_is_the_same(workplace: Workplace) -> None:
    draw_many(workplace.images, range(30))
    workplace.build()
    draw(workplace.images / "one.png", 100)
    workplace.build(rebuild=True)
    assert live(workplace).segment_rows == [31]


def test_local_features_grow_with_the_collection(workplace: Workplace) -> None:
    draw_many(workplace.images, range(12))
    workplace.build(local_features=True)
    draw(workplace.images / "new.png", 100)
    workplace.build()
    assert live(workplace).segment_rows == [12, 1]
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.local_features is not None
        assert len(snapshot.local_features) == 13
        assert np.all([len(snapshot.local_features.features(row)) >= 0 for row in range(13)])
