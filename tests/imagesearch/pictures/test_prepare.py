"""From a file to what the network, the store and the page need of it."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagesearch.errors import (
    EmptyImage,
    InvalidImage,
    TooCostly,
    TooManyBytes,
    UndecodableImage,
    UnreadableFile,
    UnsupportedImageType,
)
from imagesearch.local_features import RootSift
from imagesearch.local_features.features import to_bytes
from imagesearch.local_features.storage import from_blob, to_blob
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.pictures.plans import InputPlan, LongSideInput, SquareInput
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import IndexedPicture, QueryPicture, decode_file, decode_query
from imagesearch.pictures.region import Region, crop
from tests.imagesearch.pictures.drawn import encoded, photo_like
from tests.imagesearch.pictures.pool_tasks import Insatiable

LIMITS = ImageLimits(max_bytes=10 * 2**20, max_pixels=2_000_000)
PLAN = SquareInput(32)
MAP_PLAN = LongSideInput(320)


def halves(width: int = 800, height: int = 400) -> bytes:
    """A PNG, red on the left and blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


def test_a_query_is_the_whole_image_without_a_region() -> None:
    picture = decode_query(halves(), LIMITS, None, PLAN, False)
    assert (picture.width, picture.height) == (800, 400)
    assert picture.network_input.shape == (32, 32, 3)
    assert picture.network_input[:, 0].tolist() == [[255, 0, 0]] * 32
    assert picture.network_input[:, -1].tolist() == [[0, 0, 255]] * 32
    assert picture.preview == b""


def test_only_the_region_reaches_the_network_but_size_and_preview_are_of_the_whole() -> None:
    picture = decode_query(halves(), LIMITS, Region(0.5, 0.25, 0.5, 0.5), PLAN, True)
    assert (picture.width, picture.height) == (800, 400)
    assert (picture.network_input == (0, 0, 255)).all()
    preview = opened(picture.preview)
    assert (preview.format, preview.size) == ("WEBP", (512, 256))
    assert np.asarray(preview)[128, 5, 0] > 200


def test_a_preview_of_a_small_query_is_not_enlarged() -> None:
    assert opened(decode_query(halves(80, 40), LIMITS, None, PLAN, True).preview).size == (80, 40)


def test_a_file_is_described_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a photo without a suffix"
    path.write_bytes(halves())
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    picture = decode_file(path, LIMITS, PLAN)
    assert picture.sha256 == hashlib.sha256(halves()).hexdigest()
    assert picture.size_bytes == len(halves())
    assert picture.mtime_ns == path.stat().st_mtime_ns
    assert (picture.width, picture.height, picture.media_type) == (800, 400, "image/png")
    assert opened(picture.thumbnail).size == (256, 128)
    assert picture.preview is not None
    assert (opened(picture.preview).format, opened(picture.preview).size) == ("JPEG", (512, 256))
    query = decode_query(halves(), LIMITS, None, PLAN, False)
    np.testing.assert_array_equal(picture.network_input, query.network_input)


def test_a_picture_no_larger_than_a_preview_has_none(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(halves(512, 400))
    assert decode_file(path, LIMITS, PLAN).preview is None


def test_local_features_are_those_of_the_part_that_is_searched_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rgb = np.asarray(Image.fromarray(rng.integers(0, 256, (50, 80, 3), dtype=np.uint8)).resize((400, 250)))
    path = tmp_path / "photo.png"
    Image.fromarray(rgb).save(path)
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=2**30) as pool:
        region = Region(0.5, 0, 0.5, 1)
        query = pool.submit(
            QueryPicture, decode_query, path.read_bytes(), LIMITS, region, PLAN, False, RootSift()
        ).result()
        file = pool.submit(IndexedPicture, decode_file, path, LIMITS, PLAN, RootSift()).result()
    assert query.local_features == to_bytes(RootSift().extract(np.ascontiguousarray(rgb[:, 200:])))
    assert file.local_features == to_blob(RootSift().extract(rgb))
    assert len(from_blob(file.local_features)) > 100


def test_local_features_are_found_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(halves())
    assert decode_query(halves(), LIMITS, None, PLAN, False).local_features is None
    assert decode_file(path, LIMITS, PLAN).local_features is None


def test_too_little_memory_for_local_features_is_told_as_such() -> None:
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=2**30) as pool:
        future = pool.submit(QueryPicture, decode_query, halves(), LIMITS, None, PLAN, False, Insatiable())
        with pytest.raises(TooCostly, match="memory"):
            future.result()


def test_a_file_that_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.jpg", tmp_path):
        with pytest.raises(UnreadableFile) as raised:
            decode_file(path, LIMITS, PLAN)
        assert raised.value.reason == "UNREADABLE_FILE"
        assert str(tmp_path) not in str(raised.value)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "endless.jpg"
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(TooManyBytes):
        decode_file(path, LIMITS, PLAN)


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", EmptyImage), (b"a letter", UnsupportedImageType), (halves()[:600], UndecodableImage)],
)
def test_a_file_that_is_no_picture_is_refused_by_its_cause(
    tmp_path: Path, content: bytes, error: type[InvalidImage]
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(error):
        decode_file(path, LIMITS, PLAN)


def test_a_worker_sees_what_this_process_sees(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(halves())
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=2**30) as pool:
        query = pool.submit(
            QueryPicture, decode_query, halves(), LIMITS, Region(0, 0, 1, 0.5), PLAN, True
        ).result()
        file = pool.submit(IndexedPicture, decode_file, path, LIMITS, PLAN).result()
    here = decode_query(halves(), LIMITS, Region(0, 0, 1, 0.5), PLAN, True)
    np.testing.assert_array_equal(query.network_input, here.network_input)
    assert query.preview == here.preview
    assert file.thumbnail == decode_file(path, LIMITS, PLAN).thumbnail


def test_a_wide_picture_of_millions_of_pixels_cannot_exhaust_a_worker() -> None:
    buffer = io.BytesIO()
    Image.new("1", (65_000, 700)).save(buffer, "PNG")
    wide = ImageLimits(max_bytes=2**30, max_pixels=50_000_000)
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=2**29) as pool:
        with pytest.raises(TooCostly, match="memory"):
            pool.submit(
                QueryPicture, decode_query, buffer.getvalue(), wide, None, SquareInput(224), False
            ).result()
        assert (
            pool.submit(QueryPicture, decode_query, halves(), LIMITS, None, PLAN, False).result().width == 800
        )


def test_damage_is_told_of_queries_and_files(tmp_path: Path) -> None:
    whole = encoded(photo_like(), "BMP")
    cut = whole[: len(whole) * 95 // 100]
    path = tmp_path / "photo.bmp"
    path.write_bytes(cut)
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=2**30) as pool:
        query = pool.submit(QueryPicture, decode_query, cut, LIMITS, None, PLAN, False).result()
        file = pool.submit(IndexedPicture, decode_file, path, LIMITS, PLAN).result()
        undamaged = pool.submit(QueryPicture, decode_query, whole, LIMITS, None, PLAN, False).result()
    assert (query.damaged, file.damaged, undamaged.damaged) == (True, True, False)


def test_real_photos_are_decoded_upright_at_their_size(holidays_dir: Path) -> None:
    paths = sorted(holidays_dir.glob("*.jpg"))[:20]
    with DecodePool(workers=2, task_timeout_s=30, memory_limit_bytes=2**30) as pool:
        pictures = [
            pool.submit(IndexedPicture, decode_file, path, LIMITS, SquareInput(224)) for path in paths
        ]
        for path, picture in zip(paths, pictures, strict=True):
            decoded = picture.result()
            assert decoded.media_type == "image/jpeg"
            assert decoded.network_input.shape == (224, 224, 3)
            assert decoded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def mosaic(holidays_dir: Path, side: int = 4) -> Image.Image:
    """Photos side by side, 1300 × 972 pixels: as rich in detail as a photo of that size."""
    paths = sorted(holidays_dir.glob("*.jpg"))[: side * side]
    whole = Image.new("RGB", (325 * side, 243 * side))
    for place, path in enumerate(paths):
        with Image.open(path) as photo:
            whole.paste(photo.resize((325, 243)), (place % side * 325, place // side * 243))
    return whole


def jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize("plan", [SquareInput(80), LongSideInput(108)])
def test_scaled_decoding_leaves_the_network_input_as_it_was(holidays_dir: Path, plan: InputPlan) -> None:
    data = jpeg(mosaic(holidays_dir))
    picture = decode_query(data, LIMITS, None, plan, False)
    assert plan.least_scale(1300, 972) <= 0.5  # so that it is scaled
    whole = plan.prepare(decode(data, LIMITS).rgb)
    assert np.abs(picture.network_input.astype(int) - whole).mean() < 0.5  # grey levels
    assert (picture.width, picture.height) == (1300, 972)


def test_the_network_input_is_the_same_whatever_else_is_asked(holidays_dir: Path, tmp_path: Path) -> None:
    data = jpeg(mosaic(holidays_dir))
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    plain = decode_query(data, LIMITS, None, PLAN, False)
    full = decode_query(data, LIMITS, None, PLAN, True, RootSift(), MAP_PLAN)
    indexed = [decode_file(path, LIMITS, PLAN), decode_file(path, LIMITS, PLAN, RootSift())]
    others: list[QueryPicture | IndexedPicture] = [full, *indexed]
    for other in others:
        np.testing.assert_array_equal(other.network_input, plain.network_input)
        assert (other.width, other.height) == (1300, 972)


def test_the_map_has_its_own_input_only_when_asked_for(holidays_dir: Path, tmp_path: Path) -> None:
    data = jpeg(mosaic(holidays_dir))
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    whole = MAP_PLAN.prepare(decode(data, LIMITS).rgb)
    indexed = decode_file(path, LIMITS, PLAN, None, MAP_PLAN)
    alone = decode_query(data, LIMITS, None, PLAN, False, None, MAP_PLAN)
    beside = decode_query(data, LIMITS, None, PLAN, True, RootSift(), MAP_PLAN)
    for picture in (indexed, alone, beside):
        assert picture.map_input is not None
        np.testing.assert_array_equal(picture.map_input, alone.map_input)
        assert np.abs(picture.map_input.astype(int) - whole).mean() < 0.5  # grey levels
    assert decode_file(path, LIMITS, PLAN).map_input is None
    assert decode_query(data, LIMITS, None, PLAN, True, RootSift()).map_input is None


def test_the_map_of_a_region_is_of_the_region_alone(holidays_dir: Path) -> None:
    data = jpeg(mosaic(holidays_dir))
    region = Region(0.25, 0.5, 0.25, 0.25)
    picture = decode_query(data, LIMITS, region, PLAN, False, None, MAP_PLAN)
    expected = MAP_PLAN.prepare(crop(decode(data, LIMITS).rgb, region))
    assert picture.map_input is not None
    assert np.abs(picture.map_input.astype(int) - expected).mean() < 0.5  # grey levels


def test_preview_thumbnail_and_local_features_keep_their_resolution(
    holidays_dir: Path, tmp_path: Path
) -> None:
    whole = mosaic(holidays_dir)
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(whole))
    query = decode_query(path.read_bytes(), LIMITS, None, PLAN, True, RootSift())
    indexed = decode_file(path, LIMITS, PLAN, RootSift())
    assert opened(query.preview).size == (512, 383)
    assert opened(indexed.thumbnail).size == (256, 192)
    rgb = decode(path.read_bytes(), LIMITS).rgb
    assert query.local_features == to_bytes(RootSift().extract(rgb))
    assert indexed.local_features == to_blob(RootSift().extract(rgb))


def test_a_small_region_is_decoded_with_the_pixels_it_needs(holidays_dir: Path) -> None:
    data = jpeg(mosaic(holidays_dir))
    region = Region(0.25, 0.5, 0.25, 0.25)
    picture = decode_query(data, LIMITS, region, SquareInput(80), False)
    np.testing.assert_array_equal(
        picture.network_input, SquareInput(80).prepare(crop(decode(data, LIMITS).rgb, region))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "../../../etc/cron.d/worker".ljust(64, "0")},
        {"sha256": "0" * 63},
        {"media_type": "text/html"},
        {"width": 0},
        {"height": 2**31},
        {"size_bytes": 2**63},
        {"mtime_ns": 2**63},
    ],
)
def test_what_no_file_has_makes_no_picture(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(halves())
    with pytest.raises(ValueError):
        replace(decode_file(path, LIMITS, PLAN), **change)
