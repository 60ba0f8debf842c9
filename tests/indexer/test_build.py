from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from extractor_service.live.query_model import load_query_model
from imagesearch.backbones import Precision
from imagesearch.errors import ModelDamaged, StoreBusy, StoreError
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.store.durable import exclusive
from imagesearch.store.ledger import Ledger
from imagesearch.store.snapshot import Snapshot
from indexer.errors import ImagesFolderError
from indexer.inspection import damage, status
from tests.fakes import FakeBackbone
from tests.imagesearch.store.older import make_older
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import ACCEPTED_FORMATS, draw, draw_damaged, draw_many


def test_a_first_build_indexes_every_photo(workplace: Workplace) -> None:
    draw_many(workplace.images, range(70))
    summary = workplace.build()
    assert (summary.added, summary.described, summary.images, summary.refused) == (70, 70, 70, 0)
    assert (summary.snapshot, summary.published) == ("000001", True)
    assert len(workplace.indexed()) == 70
    assert damage(workplace.layout, workplace.networks) == []


def test_each_image_has_its_own_descriptor(workplace: Workplace) -> None:
    draw_many(workplace.images, range(40))
    workplace.build()
    for path, descriptor in workplace.indexed().items():
        pixels = decode((workplace.images / path).read_bytes(), ImageLimits(10**6, 10**6)).rgb
        cells = pixels.reshape(4, 12, 4, 16, 3).mean(axis=(1, 3)).reshape(-1)
        np.testing.assert_allclose(descriptor, cells / np.linalg.norm(cells), atol=0.02)


def test_every_accepted_type_is_indexed(workplace: Workplace) -> None:
    for seed, (name, image_format) in enumerate(ACCEPTED_FORMATS.items()):
        draw(workplace.images / name, seed, image_format)
    summary = workplace.build()
    assert (summary.added, summary.refused) == (len(ACCEPTED_FORMATS), 0)
    with Snapshot.open(workplace.layout) as snapshot:
        types = {image.paths[0]: image.media_type for image in snapshot.page("", 100)}
    assert {name: types[name] for name in ("a.jpg", "g.gif", "i.avif", "k.heif")} == {
        "a.jpg": "image/jpeg",
        "g.gif": "image/gif",
        "i.avif": "image/avif",
        "k.heif": "image/heic",
    }


def test_an_unchanged_folder_needs_no_network_and_no_new_snapshot(workplace: Workplace) -> None:
    draw_many(workplace.images, range(5))
    (workplace.images / "broken.jpg").write_bytes(b"no picture")
    workplace.build()
    workplace.networks.loaded.clear()
    summary = workplace.build()
    assert workplace.networks.loaded == []
    assert (summary.kept, summary.added, summary.described, summary.refused) == (5, 0, 0, 1)
    assert (summary.snapshot, summary.published) == ("000001", False)


def test_one_added_one_changed_one_deleted_and_only_those(workplace: Workplace) -> None:
    draw_many(workplace.images, range(9))
    workplace.build()
    before = workplace.indexed()
    draw(workplace.images / "new.png", 100)
    draw(workplace.images / "1/0001.png", 101)
    (workplace.images / "2/0002.png").unlink()
    summary = workplace.build()
    assert (summary.added, summary.changed, summary.dropped, summary.kept) == (1, 1, 1, 7)
    assert summary.described == 2
    after = workplace.indexed()
    assert after.keys() == before.keys() - {"2/0002.png"} | {"new.png"}
    assert not np.array_equal(after["1/0001.png"], before["1/0001.png"])
    assert len(thumbnails(workplace)) == 9


def test_other_bytes_behind_the_same_size_and_time_are_found_by_a_check(workplace: Workplace) -> None:
    for seed in range(4):
        draw(workplace.images / f"{seed}.bmp", seed, "BMP")
    workplace.build()
    before = workplace.indexed()
    changed = workplace.images / "1.bmp"
    status = changed.stat()
    draw(changed, 100, "BMP")
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert changed.stat().st_size == status.st_size
    summary = workplace.build()
    assert (summary.kept, summary.published) == (4, False)
    summary = workplace.build(check=True)
    assert (summary.changed, summary.kept, summary.described) == (1, 3, 1)
    after = workplace.indexed()
    assert [path for path in before if not np.array_equal(before[path], after[path])] == ["1.bmp"]
    summary = workplace.build(check=True)
    assert (summary.changed, summary.kept, summary.described, summary.published) == (0, 4, 0, False)


def test_a_renamed_and_a_touched_file_are_recognised_without_the_network(workplace: Workplace) -> None:
    draw_many(workplace.images, range(4))
    workplace.build()
    before = workplace.indexed()
    workplace.networks.loaded.clear()
    (workplace.images / "0/0000.png").rename(workplace.images / "renamed.png")
    os.utime(workplace.images / "1/0001.png", ns=(5, 5))
    summary = workplace.build()
    assert workplace.networks.loaded == []
    assert (summary.added, summary.dropped, summary.kept, summary.described) == (1, 1, 3, 0)
    np.testing.assert_array_equal(workplace.indexed()["renamed.png"], before["0/0000.png"])
    assert not workplace.build().published


def test_a_touched_file_alone_publishes_nothing_and_is_hashed_once(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    os.utime(workplace.images / "1/0001.png", ns=(5, 5))
    assert not workplace.build().published
    with Ledger.open(workplace.layout.ledger_path) or pytest.fail("no ledger") as ledger:
        assert ledger.known_files()["1/0001.png"].state.mtime_ns == 5


def test_the_same_bytes_under_two_paths_are_one_image_with_two_paths(workplace: Workplace) -> None:
    for name in ("b.png", "a.png", "sub/c.png"):
        draw(workplace.images / name, 1)
    summary = workplace.build()
    assert (summary.added, summary.images, summary.described) == (3, 1, 1)
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.page("", 10)[0].paths == ("a.png", "b.png", "sub/c.png")
    (workplace.images / "a.png").unlink()
    assert workplace.build().dropped == 1
    assert workplace.indexed().keys() == {"b.png", "sub/c.png"}


def test_a_bad_file_is_recorded_with_its_reason_and_stops_nothing(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    whole = (workplace.images / "0/0000.png").read_bytes()
    bad = {
        "empty.jpg": (b"", "EMPTY_IMAGE"),
        "text.jpg": (b"this is no picture", "UNSUPPORTED_IMAGE_TYPE"),
        "truncated.png": (whole[: len(whole) // 2], "UNDECODABLE_IMAGE"),
        "large.png": (whole + bytes(200_000), "TOO_MANY_BYTES"),
    }
    for name, (content, _) in bad.items():
        (workplace.images / name).write_bytes(content)
    draw(workplace.images / "wide.png", 9)
    summary = workplace.build(max_image_bytes=100_000, max_pixels=64 * 48)
    assert (summary.added, summary.refused) == (4, 4)
    reasons = {file.path: file.reason for file in summary.refused_first}
    assert reasons == {name: reason for name, (_, reason) in bad.items()}
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.refused(10) == summary.refused_first
        assert snapshot.manifest.refused_count == 4


def test_a_damaged_photo_is_indexed_as_such_and_counted(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    draw_damaged(workplace.images / "cut.png")
    summary = workplace.build()
    assert (summary.added, summary.refused, summary.damaged) == (4, 0, 1)
    with Snapshot.open(workplace.layout) as snapshot:
        assert [image.paths for image in snapshot.page("", 10) if image.damaged] == [("cut.png",)]
    assert workplace.build().damaged == 1


def test_a_store_of_an_older_format_is_written_again_and_nothing_described(workplace: Workplace) -> None:
    draw_many(workplace.images, range(5))
    workplace.build(local_features=True, localization=True)
    before = workplace.indexed()
    make_older(workplace.layout)
    workplace.networks.loaded.clear()
    summary = workplace.build()
    assert (summary.snapshot, summary.kept, summary.described) == ("000002", 5, 0)
    assert workplace.networks.loaded == []
    after = workplace.indexed()
    assert after.keys() == before.keys()
    for path, descriptor in before.items():
        np.testing.assert_array_equal(after[path], descriptor)
    assert damage(workplace.layout, workplace.networks) == []


def test_a_refused_file_is_taken_once_it_is_repaired(workplace: Workplace) -> None:
    draw(workplace.images / "a.png", 1)
    (workplace.images / "b.png").write_bytes(b"half a picture")
    workplace.build()
    draw(workplace.images / "b.png", 2)
    summary = workplace.build()
    assert (summary.added, summary.refused) == (1, 0)
    assert workplace.indexed().keys() == {"a.png", "b.png"}


def test_a_photo_that_breaks_leaves_the_index(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    (workplace.images / "1/0001.png").write_bytes(b"overwritten")
    summary = workplace.build()
    assert (summary.kept, summary.refused, summary.images) == (2, 1, 2)
    assert len(thumbnails(workplace)) == 2


def test_a_file_that_vanishes_between_listing_and_decoding_is_forgotten(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(3))
    gone = workplace.images / "1/0001.png"
    load = workplace.networks.load

    def load_late(*arguments: object) -> object:
        gone.unlink()
        return load(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workplace.networks, "load", load_late)
    assert workplace.build().refused == 1
    monkeypatch.undo()
    assert workplace.build().refused == 0


def test_names_of_every_kind_survive(workplace: Workplace) -> None:
    names = ["ünïcödé.png", "with space.png", "new\nline.png", "back\\slash.png", "写真/猫.png", "100%.png"]
    for seed, name in enumerate(names):
        draw(workplace.images / name, seed)
    workplace.build()
    assert workplace.indexed().keys() == set(names)


def test_thumbnails_of_vanished_images_go_and_all_others_stay(workplace: Workplace) -> None:
    draw_many(workplace.images, range(6))
    workplace.build()
    shutil.rmtree(workplace.images / "0")
    workplace.build()
    with Snapshot.open(workplace.layout) as snapshot:
        assert thumbnails(workplace) == {f"{image.image_id}.webp" for image in snapshot.page("", 100)}


def test_an_emptied_folder_does_not_empty_the_index_unless_told_to(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    shutil.rmtree(workplace.images)
    with pytest.raises(ImagesFolderError, match="--images"):
        workplace.build()
    workplace.images.mkdir()
    with pytest.raises(ImagesFolderError, match="--accept-loss"):
        workplace.build()
    assert len(workplace.indexed()) == 3
    summary = workplace.build(accept_loss=True)
    assert (summary.dropped, summary.images, summary.snapshot) == (3, 0, "000002")
    assert workplace.indexed() == {}


def test_another_folder_does_not_replace_the_index_unless_told_to(
    workplace: Workplace, tmp_path: Path
) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    other = tmp_path / "other"
    draw_many(other, range(50, 54))
    with pytest.raises(ImagesFolderError, match=r"\(3\) is in .*other.*--store.*--accept-loss"):
        workplace.build(images_dir=other)
    assert len(workplace.indexed()) == 3
    assert not status(workplace.layout).unpublished
    assert workplace.build().kept == 3
    with pytest.raises(ImagesFolderError, match=r"\(3\) is in .*other.*--store.*--accept-loss"):
        workplace.build(images_dir=other, rebuild=True)
    assert len(workplace.indexed()) == 3
    summary = workplace.build(images_dir=other, accept_loss=True)
    assert (summary.added, summary.dropped, summary.images) == (4, 3, 4)


def test_nor_where_the_index_is_of_an_older_format(workplace: Workplace, tmp_path: Path) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    make_older(workplace.layout)
    draw_many(tmp_path / "other", range(50, 54))
    with pytest.raises(ImagesFolderError, match="--accept-loss"):
        workplace.build(images_dir=tmp_path / "other", rebuild=True)


def test_a_folder_whose_every_path_is_another_is_known_by_its_photos(
    workplace: Workplace, tmp_path: Path
) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    moved = tmp_path / "moved"
    shutil.copytree(workplace.images, moved / "below")
    draw(moved / "a new one first.png", 60)
    summary = workplace.build(images_dir=moved)
    assert (summary.added, summary.dropped, summary.described) == (4, 3, 1)


def test_a_folder_of_bad_photos_alone_is_an_error_that_names_one(workplace: Workplace) -> None:
    (workplace.images / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(ImagesFolderError, match=r"a\.jpg"):
        workplace.build()
    assert status(workplace.layout).snapshot is None


def test_a_missing_folder_leaves_no_trace(workplace: Workplace) -> None:
    workplace.images.rmdir()
    with pytest.raises(ImagesFolderError):
        workplace.build()
    assert not workplace.store.exists()


def test_a_store_inside_the_images_folder_does_not_index_itself(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    inside = Workplace(workplace.images, workplace.images / "store")
    inside.build()
    assert (inside.build().kept, len(inside.indexed())) == (3, 3)


def test_only_one_indexer_at_a_time(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2))
    with exclusive(workplace.layout), pytest.raises(StoreBusy):
        workplace.build()
    workplace.build()


def test_a_damaged_live_snapshot_is_replaced_though_nothing_changed(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    path = workplace.layout.snapshot_dir("000001") / "segment-0.descriptors.npy"
    path.write_bytes(path.read_bytes()[:-1])
    workplace.networks.loaded.clear()
    assert workplace.build().snapshot == "000002"
    assert workplace.networks.loaded == []
    assert len(workplace.indexed()) == 3


@pytest.mark.parametrize("text", ["", "latest\n", "000099\n"])
def test_a_current_file_that_names_no_snapshot_is_replaced(workplace: Workplace, text: str) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    workplace.layout.current_path.write_text(text)
    assert workplace.build().published
    assert len(workplace.indexed()) == 3


def test_lost_snapshots_are_published_again(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    shutil.rmtree(workplace.layout.snapshots_dir)
    assert workplace.build().snapshot == "000002"
    assert len(workplace.indexed()) == 3


def test_a_damaged_ledger_says_what_to_do_and_doing_it_helps(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    workplace.layout.ledger_path.write_bytes(b"what was a ledger" * 500)
    with pytest.raises(StoreError, match="--rebuild"):
        workplace.build()
    assert len(workplace.indexed()) == 3
    workplace.build(rebuild=True)
    assert damage(workplace.layout, workplace.networks) == []


def thumbnails(workplace: Workplace) -> set[str]:
    return {path.name for path in workplace.layout.thumbnails_dir.rglob("*") if path.is_file()}


def test_a_network_that_no_longer_describes_as_it_did_is_not_used(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    embed = FakeBackbone.embed
    monkeypatch.setattr(FakeBackbone, "embed", lambda self, images: embed(self, images)[:, ::-1])
    with Snapshot.open(workplace.layout) as snapshot, pytest.raises(ModelDamaged):
        load_query_model(
            snapshot.manifest, snapshot.known, workplace.networks.load, Precision.AUTO, max_batch=1
        )
    draw(workplace.images / "new.png", 4, "PNG")
    with pytest.raises(ModelDamaged):
        workplace.build()
