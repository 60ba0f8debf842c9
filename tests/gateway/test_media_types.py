from __future__ import annotations

from gateway import media_types
from imagesearch.pictures.formats import FORMATS


def test_every_indexed_format_has_an_entry_and_nothing_else() -> None:
    known = {media_type: each.name for media_type, each in media_types.FORMATS.items()}
    assert known == {image_format.media_type: image_format.name for image_format in FORMATS}


def test_a_type_that_is_no_image_is_mere_bytes() -> None:
    assert media_types.safe("image/heic") == "image/heic"
    for hostile in ("text/html", "image/svg+xml", ""):
        assert media_types.safe(hostile) == "application/octet-stream"
        assert not media_types.is_shown(hostile)
