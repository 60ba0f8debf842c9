from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagesearch.errors import StoreError
from imagesearch.pictures.renderings import jpeg, webp
from imagesearch.store.layout import StoreLayout
from imagesearch.store.thumbnails import (
    damaged_thumbnails,
    read_preview,
    read_thumbnail,
    remove_thumbnails,
    sweep_thumbnails,
    write_preview,
    write_thumbnail,
)
from tests.imagesearch.store.stores import image_id

PICTURE = webp(np.zeros((8, 8, 3), np.uint8), 256)
PREVIEW = jpeg(np.zeros((8, 8, 3), np.uint8), 512)


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path)


def test_a_thumbnail_is_where_the_layout_says(layout: StoreLayout) -> None:
    write_thumbnail(layout, image_id(1), PICTURE)
    with Image.open(layout.thumbnail_path(image_id(1))) as image:
        assert image.size == (8, 8)
        image.load()


def test_sweeping_leaves_the_wanted_ones_only(layout: StoreLayout) -> None:
    for seed in range(4):
        write_thumbnail(layout, image_id(seed), PICTURE)
        write_preview(layout, image_id(seed), PREVIEW)
    remove_thumbnails(layout, [image_id(2)])
    half_written = layout.thumbnail_path(image_id(1)).with_suffix(".new")
    half_written.write_bytes(b"RIFF")
    sweep_thumbnails(layout, {image_id(1), image_id(2)})
    left = {path.name for path in layout.thumbnails_dir.rglob("*") if path.is_file()}
    assert left == {f"{image_id(1)}.webp", f"{image_id(1)}.jpg"}


def test_sweeping_where_there_are_none_is_fine(layout: StoreLayout) -> None:
    sweep_thumbnails(layout, set())


def test_every_changed_bit_and_every_missing_end_is_found(layout: StoreLayout) -> None:
    write_thumbnail(layout, image_id(1), PICTURE)
    path = layout.thumbnail_path(image_id(1))
    whole = path.read_bytes()
    assert list(damaged_thumbnails(layout, [image_id(1)])) == []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert list(damaged_thumbnails(layout, [image_id(1)])) == [image_id(1)]
        path.write_bytes(whole[:place])
        with pytest.raises(StoreError):
            read_thumbnail(layout, image_id(1))


def test_a_thumbnail_of_an_earlier_version_is_whole(layout: StoreLayout) -> None:
    write_thumbnail(layout, image_id(1), PICTURE)
    layout.thumbnail_path(image_id(1)).write_bytes(PICTURE)
    assert read_thumbnail(layout, image_id(1)) == PICTURE


def test_missing_empty_and_foreign_files_count_as_missing(layout: StoreLayout) -> None:
    for seed in range(3):
        write_thumbnail(layout, image_id(seed), PICTURE)
    layout.thumbnail_path(image_id(1)).write_bytes(b"")
    layout.thumbnail_path(image_id(2)).write_bytes(b"\xff\xd8\xff a JPEG, perhaps")
    assert list(damaged_thumbnails(layout, map(image_id, range(4)))) == [
        image_id(1),
        image_id(2),
        image_id(3),
    ]


def test_a_preview_is_read_as_it_was_written_and_shown_by_any_viewer(layout: StoreLayout) -> None:
    write_preview(layout, image_id(1), PREVIEW)
    assert read_preview(layout, image_id(1)) == PREVIEW
    with Image.open(layout.preview_path(image_id(1))) as image:
        assert image.size == (8, 8)
        image.load()


def test_a_changed_preview_is_found_and_not_shown(layout: StoreLayout) -> None:
    write_thumbnail(layout, image_id(1), PICTURE)
    write_preview(layout, image_id(1), PREVIEW)
    path = layout.preview_path(image_id(1))
    whole = path.read_bytes()
    assert list(damaged_thumbnails(layout, [image_id(1)])) == []
    for changed in (whole[:99] + bytes([whole[99] ^ 1]) + whole[100:], whole[:-1], b""):
        path.write_bytes(changed)
        assert read_preview(layout, image_id(1)) is None
        assert list(damaged_thumbnails(layout, [image_id(1)])) == [image_id(1)]
