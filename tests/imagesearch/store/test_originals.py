from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from imagesearch.errors import OptionUnavailable
from imagesearch.store.originals import read_original
from imagesearch.store.records import ImageRecord

CONTENT = b"the bytes that were indexed"
IMAGE_ID = hashlib.sha256(CONTENT).hexdigest()[:32]


def record(*paths: str) -> ImageRecord:
    return ImageRecord(IMAGE_ID, paths, 1, 1, "image/png", len(CONTENT))


@pytest.fixture
def images_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "images"
    directory.mkdir()
    return directory


def test_the_indexed_bytes_are_read(images_dir: Path) -> None:
    (images_dir / "a.png").write_bytes(CONTENT)
    assert read_original(images_dir, record("a.png")) == CONTENT


def test_another_path_of_the_same_bytes_stands_in(images_dir: Path) -> None:
    (images_dir / "changed.png").write_bytes(b"other bytes")
    (images_dir / "same.png").write_bytes(CONTENT)
    assert read_original(images_dir, record("changed.png", "gone.png", "same.png")) == CONTENT


def test_no_path_leads_out_of_the_folder(images_dir: Path) -> None:
    outside = images_dir.parent / "outside.png"
    outside.write_bytes(CONTENT)
    (images_dir / "link.png").symlink_to(outside)
    for path in ("../outside.png", str(outside), "link.png"):
        with pytest.raises(OptionUnavailable):
            read_original(images_dir, record(path))


def test_a_file_that_changed_is_not_taken_for_the_indexed_one(images_dir: Path) -> None:
    (images_dir / "a.png").write_bytes(CONTENT[::-1])
    with pytest.raises(OptionUnavailable):
        read_original(images_dir, record("a.png"))


def test_a_folder_in_the_files_place_is_no_original(images_dir: Path) -> None:
    (images_dir / "a.png").mkdir()
    with pytest.raises(OptionUnavailable):
        read_original(images_dir, record("a.png"))
