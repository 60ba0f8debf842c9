from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagesearch.errors import UndecodableImage
from imagesearch.pictures.decode import ImageLimits, decode
from indexer.selftest.variants import LONG_SIDE_PX, pictures_of, variants_of
from tests.indexer.pictures import draw_texture

LIMITS = ImageLimits(10_000_000, 100_000_000)


def texture(folder: Path, seed: int) -> bytes:
    draw_texture(folder / "texture.png", seed)
    return (folder / "texture.png").read_bytes()


def test_a_variant_is_a_file_that_the_service_decodes(tmp_path: Path) -> None:
    content = texture(tmp_path, 1)
    variants = variants_of(content, LIMITS, 0, ["unchanged", "on-side"])
    assert set(variants) == {"unchanged", "on-side"}
    assert np.array_equal(decode(variants["unchanged"], LIMITS).rgb, decode(content, LIMITS).rgb)
    assert decode(variants["on-side"], LIMITS).rgb.shape == (320, 240, 3)


def test_the_seed_and_the_photo_decide_where_a_crop_lies(tmp_path: Path) -> None:
    first, second = texture(tmp_path, 1), texture(tmp_path, 2)
    crop = variants_of(first, LIMITS, 0, ["crop-half"])
    assert crop.items() <= variants_of(first, LIMITS, 0, ["crop-half", "tilt"]).items()
    assert crop != variants_of(first, LIMITS, 1, ["crop-half"])
    assert crop != variants_of(second, LIMITS, 0, ["crop-half"])


def test_a_large_original_is_bounded_first() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3200, 100), "orange").save(buffer, "PNG")
    variant = variants_of(buffer.getvalue(), LIMITS, 0, ["unchanged"])["unchanged"]
    assert decode(variant, LIMITS).rgb.shape == (50, LONG_SIDE_PX, 3)


def test_the_pictures_of_a_report_are_small(tmp_path: Path) -> None:
    picture = decode(pictures_of(texture(tmp_path, 1), LIMITS, 0, ["unchanged"])["unchanged"], LIMITS)
    assert (picture.media_type, picture.rgb.shape) == ("image/webp", (192, 256, 3))


def test_an_original_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UndecodableImage):
        variants_of(texture(tmp_path, 1)[:200], LIMITS, 0, ["unchanged"])
