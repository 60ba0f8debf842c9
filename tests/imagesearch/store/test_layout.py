from __future__ import annotations

from pathlib import Path

from imagesearch.store.layout import StoreLayout, image_id_of


def test_an_image_id_is_the_first_half_of_the_hash() -> None:
    assert image_id_of("0123456789abcdef" * 4) == "0123456789abcdef0123456789abcdef"


def test_thumbnails_are_spread_over_folders_by_the_first_two_digits_of_the_id() -> None:
    layout = StoreLayout(Path("store"))
    assert layout.thumbnail_path("ab12") == Path("store/thumbnails/ab/ab12.webp")
