from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.errors import ImagesFolderError
from indexer.walk import Listing, walk
from tests.indexer.pictures import ACCEPTED_FORMATS

NOBODY = 65534


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")


def paths(listing: Listing) -> list[str]:
    return [photo.path for photo in listing.photos]


def refused(listing: Listing) -> dict[str, str]:
    assert {refusal.reason for refusal in listing.refusals} <= {"UNREADABLE_FILE"}
    return {refusal.file.path: refusal.detail for refusal in listing.refusals}


def walked(images: Path) -> Listing:
    return walk(images, images.parent / "store")


@contextmanager
def as_somebody_without_rights(*folders: Path) -> Iterator[None]:
    """Root reads everything, so that permissions are tested as somebody else."""
    for folder in folders:
        folder.chmod(0o755)
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_tmp_path(tmp_path: Path) -> Path:
    """Its parents belong to the user alone; here others may pass through."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    return tmp_path


def test_photos_of_all_folders_come_in_order_of_path(images: Path) -> None:
    touch(images, "b.jpg", "a/z.jpg", "a/b/c.jpg", "a.jpg", "c/a.jpg")
    assert paths(walked(images)) == ["a.jpg", "a/b/c.jpg", "a/z.jpg", "b.jpg", "c/a.jpg"]


def test_every_accepted_suffix_counts_in_any_case(images: Path) -> None:
    touch(images, *ACCEPTED_FORMATS)
    assert len(walked(images).photos) == len(ACCEPTED_FORMATS)


def test_other_files_and_hidden_ones_are_ignored_and_counted(images: Path) -> None:
    touch(images, "a.jpg", "notes.txt", "jpg", ".hidden.jpg", "._a.jpg", ".cache/b.jpg", "b.jpg.part")
    listing = walked(images)
    assert paths(listing) == ["a.jpg"]
    assert listing.ignored == 5


def test_pictures_of_known_kinds_among_them_are_counted_by_kind(images: Path) -> None:
    touch(images, "a.NEF", "b.cr2", "c.svg", "notes.txt", ".hidden.nef")
    listing = walked(images)
    assert listing.ignored == 5
    assert listing.ignored_kinds == {"camera's raw file": 2, "SVG drawing": 1}
    assert listing.left_out == {"camera's raw file": 2, "other file": 2, "SVG drawing": 1}


def test_size_and_modification_time_are_told(images: Path) -> None:
    touch(images, "a.jpg")
    os.utime(images / "a.jpg", ns=(1, 1_234_567_890_123_456_789))
    photo = walked(images).photos[0]
    assert (photo.size_bytes, photo.mtime_ns) == (7, 1_234_567_890_123_456_789)


def test_the_store_inside_the_folder_is_passed_over(images: Path) -> None:
    touch(images, "a.jpg", "store/thumbnails/ab/ab.webp", "other/store/b.webp")
    assert paths(walk(images, images / "store")) == ["a.jpg", "other/store/b.webp"]


def test_the_store_is_recognised_through_a_link(images: Path, tmp_path: Path) -> None:
    touch(images, "store/thumbnails/ab/ab.webp", "a.jpg")
    (tmp_path / "link").symlink_to(images / "store")
    assert paths(walk(images, tmp_path / "link")) == ["a.jpg"]


def test_links_to_files_are_followed_inside_the_folder_only(images: Path, tmp_path: Path) -> None:
    touch(images, "a.jpg")
    touch(tmp_path, "secret.jpg")
    (images / "inside.jpg").symlink_to("a.jpg")
    (images / "outside.jpg").symlink_to(tmp_path / "secret.jpg")
    (images / "nowhere.jpg").symlink_to("gone.jpg")
    (images / "itself.jpg").symlink_to("itself.jpg")
    listing = walked(images)
    assert paths(listing) == ["a.jpg", "inside.jpg"]
    assert sorted(refused(listing)) == ["itself.jpg", "nowhere.jpg", "outside.jpg"]


def test_a_loop_of_folders_is_not_followed(images: Path) -> None:
    touch(images, "a/b.jpg")
    (images / "a" / "loop").symlink_to(images)
    (images / "itself").symlink_to(images / "itself")
    assert paths(walked(images)) == ["a/b.jpg"]


def test_the_folder_itself_may_be_a_link(images: Path, tmp_path: Path) -> None:
    touch(images, "a/b.jpg")
    (tmp_path / "photos").symlink_to(images)
    assert paths(walk(tmp_path / "photos", tmp_path / "store")) == ["a/b.jpg"]


def test_a_pipe_named_like_a_photo_is_ignored(images: Path) -> None:
    os.mkfifo(images / "pipe.jpg")
    listing = walked(images)
    assert (listing.photos, listing.refusals, listing.ignored) == ([], [], 1)


def test_names_that_are_not_utf8_are_refused_legibly(images: Path) -> None:
    touch(images, "café.jpg")
    Path(os.fsdecode(os.fsencode(images) + b"/caf\xe9.jpg")).write_bytes(b"content")
    Path(os.fsdecode(os.fsencode(images) + b"/\xe9t\xe9")).mkdir()
    listing = walked(images)
    assert paths(listing) == ["café.jpg"]
    assert refused(listing) == {
        "caf\\xe9.jpg": "The file's name is not valid UTF-8: rename it.",
        "\\xe9t\\xe9": "The folder's name is not valid UTF-8: rename it.",
    }


def test_an_unreadable_folder_and_an_unreadable_file_are_refused(open_tmp_path: Path) -> None:
    images = open_tmp_path / "images"
    touch(images, "a.jpg", "closed/b.jpg", "secret.jpg")
    (images / "closed").chmod(0)
    (images / "secret.jpg").chmod(0)
    try:
        with as_somebody_without_rights(images):
            listing = walked(images)
    finally:
        (images / "closed").chmod(0o755)
    assert paths(listing) == ["a.jpg"]
    assert listing.unreadable_folders == ["closed"]
    assert sorted(refused(listing)) == ["closed", "secret.jpg"]
    assert all("cannot be read" in detail for detail in refused(listing).values())


def test_a_folder_that_cannot_be_read_at_all_is_an_error(open_tmp_path: Path) -> None:
    images = open_tmp_path / "images"
    images.mkdir(mode=0)
    try:
        with as_somebody_without_rights(), pytest.raises(ImagesFolderError, match="permissions"):
            walked(images)
    finally:
        images.chmod(0o755)


@pytest.mark.parametrize("name", ["gone", "file.jpg"])
def test_a_missing_folder_is_an_error_that_says_what_to_do(images: Path, name: str) -> None:
    touch(images, "file.jpg")
    with pytest.raises(ImagesFolderError, match=r"--images or INDEXER_IMAGES_DIR \(IMAGES= with make\)"):
        walked(images / name)


def test_a_linked_folder_is_indexed_where_it_is_and_one_outside_is_refused(
    images: Path, tmp_path: Path
) -> None:
    touch(images, "a/b.jpg")
    touch(tmp_path, "elsewhere/c.jpg")
    (images / "again").symlink_to(images / "a")
    (images / "outside").symlink_to(tmp_path / "elsewhere")
    listing = walked(images)
    assert paths(listing) == ["a/b.jpg"]
    assert listing.passed_over == {"link to a folder that is indexed where it is": 1}
    assert refused(listing) == {"outside": "The link leads to a folder outside of the images folder."}


def test_what_systems_put_among_photos_is_passed_over_and_counted_by_kind(images: Path) -> None:
    touch(images, "a.jpg", "2019/@eaDir/a.jpg", "@eadir/b.jpg", "#recycle/c.jpg", "$Recycle.Bin/d.jpg")
    touch(images, ".Trash-1000/files/e.jpg", "__MACOSX/._f.jpg", ".thumbnails/g.jpg", ".git/h.jpg")
    listing = walked(images)
    assert paths(listing) == ["a.jpg"]
    assert listing.passed_over == {
        "@eaDir": 2,
        "#recycle": 1,
        "$RECYCLE.BIN": 1,
        ".Trash*": 1,
        "__MACOSX": 1,
        ".thumbnails": 1,
        "hidden folder": 1,
    }


def test_a_folder_that_holds_any_store_is_passed_over(images: Path) -> None:
    touch(images, "a.jpg", "old/ledger.sqlite3", "old/thumbnails/ab/ab.webp", "copy/CURRENT", "copy/b.webp")
    listing = walked(images)
    assert paths(listing) == ["a.jpg"]
    assert listing.passed_over == {"folder of a store": 2}


@pytest.mark.parametrize("folder", ["store", "store/thumbnails"])
def test_a_store_is_not_taken_for_photos(images: Path, folder: str) -> None:
    touch(images, "store/ledger.sqlite3", "store/thumbnails/ab/ab.webp")
    with pytest.raises(ImagesFolderError, match="another folder"):
        walk(images / folder, images / "store")
    if folder == "store":
        with pytest.raises(ImagesFolderError, match="another folder"):
            walk(images / folder, images / "elsewhere")


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ("", ["2019/RAW/a.jpg", "2019/b.gif", "RAW/c.jpg", "d.jpg"]),
        ("raw", ["2019/b.gif", "d.jpg"]),
        ("raw/", ["2019/b.gif", "d.jpg"]),
        ("2019/raw", ["2019/b.gif", "RAW/c.jpg", "d.jpg"]),
        ("*.GIF, /2019/raw/", ["RAW/c.jpg", "d.jpg"]),
        ("2019", ["RAW/c.jpg", "d.jpg"]),
    ],
)
def test_patterns_pass_over_names_and_paths(images: Path, exclude: str, left: list[str]) -> None:
    touch(images, "2019/RAW/a.jpg", "2019/b.gif", "RAW/c.jpg", "d.jpg")
    listing = walk(images, images.parent / "store", exclude)
    assert paths(listing) == left
    assert set(listing.passed_over) == ({"excluded by INDEXER_EXCLUDE"} if exclude else set())
