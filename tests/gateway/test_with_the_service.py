"""The gateway before the real search service, its network a stand-in: every picture a person may send."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from gateway.app import create_app
from gateway.settings import Settings
from tests.extractor_service.serving import Folder, photo, running, settings_for


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path, seeds=range(5))
    folder.publish(note="The larger network is not at hand.")
    return folder


@pytest.fixture
async def client(folder: Folder) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings_for(folder)) as service:
        settings = Settings(
            extractor_address=f"127.0.0.1:{service.server.port}",
            max_pixels=1_000_000,
            search_timeout_s=60,
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as opened:
                yield opened


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, image_format, **options)
    return content.getvalue()


def picture(mode: str = "RGB") -> Image.Image:
    return Image.open(io.BytesIO(photo(1))).convert(mode)


def huge_png() -> bytes:
    """30,000 by 30,000 pixels in a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(), "JPEG", exif=exif)


GOOD = {
    "JPEG": lambda: encoded(picture(), "JPEG", quality=95),
    "PNG": lambda: photo(1),
    "WebP": lambda: encoded(picture(), "WEBP", quality=95),
    "BMP": lambda: encoded(picture(), "BMP"),
    "animated GIF": lambda: encoded(
        picture("P"), "GIF", save_all=True, append_images=[Image.new("P", (64, 48))] * 3
    ),
    "CMYK": lambda: encoded(picture("CMYK"), "JPEG"),
    "16-bit": lambda: encoded(
        Image.fromarray((np.arange(64 * 48, dtype=np.uint16) * 20).reshape(48, 64)), "PNG"
    ),
    "palette with transparency": lambda: encoded(picture("P"), "PNG", transparency=0),
}


@pytest.mark.parametrize("kind", GOOD)
async def test_a_picture_of_every_kind_is_searched_for(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/search", files={"image": ("anything", GOOD[kind]())})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["query"]["width"], answer["query"]["height"]) == (64, 48)
    assert len(answer["results"]) == 5
    distances = [hit["distance"] for hit in answer["results"]]
    assert distances == sorted(distances)


async def test_a_photo_finds_itself_by_either_form(client: httpx.AsyncClient, folder: Folder) -> None:
    by_form = await client.post("/search", files={"image": photo(3)})
    by_json = await client.post("/search", json={"image": base64.b64encode(photo(3)).decode()})
    for response in (by_form, by_json):
        first = response.json()["results"][0]
        assert first["image_id"] == folder.id_of("003.png")
        assert first["distance"] < 0.01
        assert first["path"] == "003.png"


async def test_a_turned_photo_is_seen_upright(client: httpx.AsyncClient) -> None:
    query = (await client.post("/search", files={"image": rotated()})).json()["query"]
    assert (query["width"], query["height"]) == (48, 64)


BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "empty": (lambda: b"", 400, "EMPTY_IMAGE"),
    "a text": (lambda: b"Dear diary", 415, "UNSUPPORTED_IMAGE_TYPE"),
    "cut off": (lambda: encoded(picture(), "JPEG")[:400], 422, "UNDECODABLE_IMAGE"),
    "huge": (huge_png, 422, "TOO_MANY_PIXELS"),
    "over the gateway's own limit": (
        lambda: encoded(Image.new("L", (1_001, 1_000)), "PNG"),
        422,
        "TOO_MANY_PIXELS",
    ),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_picture_is_refused_and_the_next_is_served(client: httpx.AsyncClient, kind: str) -> None:
    content, status, code = BAD[kind]
    response = await client.post("/search", files={"image": ("photo.jpg", content())})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert (await client.post("/search", files={"image": photo(1)})).status_code == 200


@asynccontextmanager
async def gateway_before(
    folder: Folder, service_settings: dict[str, Any], **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings_for(folder, **service_settings)) as service:
        address = f"127.0.0.1:{service.server.port}"
        app = create_app(Settings(extractor_address=address, **settings))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                yield client


async def refused_in_both_languages(client: httpx.AsyncClient, content: bytes) -> tuple[int, str, str]:
    """Status and detail of a search, and the page in Japanese."""
    response = await client.post("/search", files={"image": content})
    page = await client.post("/", files={"image": content}, headers={"accept-language": "ja"})
    assert page.status_code == response.status_code
    return response.status_code, response.json()["detail"], page.text


async def test_a_limit_of_the_service_below_the_gateways_is_the_one_that_is_named(folder: Folder) -> None:
    low = {"max_pixels": 1000, "max_image_bytes": 100_000}
    async with gateway_before(folder, low, max_upload_bytes=5_000_000) as client:
        pixels = await refused_in_both_languages(client, photo(1))
        size = await refused_in_both_languages(client, b"x" * 200_000)
        message = await refused_in_both_languages(client, b"x" * 4_000_000)
    assert pixels[:2] == (422, "The image has more than 1,000 pixels (width times height).")
    assert size[:2] == (413, "The image has 200,000 bytes; at most 100,000 are accepted.")
    assert message[:2] == (413, "The search service takes at most 1,148,576 bytes at once.")
    for (_, _, page), words in zip(
        (pixels, size, message), ("1,000を超えて", "100,000バイトまで", "1,148,576バイトまで"), strict=True
    ):
        assert words in page


async def test_a_photo_that_takes_too_long_to_decode_is_refused_as_such(folder: Folder) -> None:
    large = encoded(Image.new("RGB", (6_000, 6_000)), "PNG", compress_level=1)
    async with gateway_before(folder, {"decode_timeout_s": 0.15}) as client:
        status, detail, page = await refused_in_both_languages(client, large)
    assert (status, detail) == (422, "The image takes longer to decode than is allowed.")
    assert "長い時間がかかります" in page


async def test_an_indexed_image_is_searched_for_whole_and_in_part(
    client: httpx.AsyncClient, folder: Folder
) -> None:
    image_id = folder.id_of("002.png")
    for body in (
        {"image_id": image_id},
        {"image_id": image_id, "region": {"x": 0.5, "y": 0.5, "width": 0.5, "height": 0.5}},
    ):
        answer = (await client.post("/search", json=body)).json()
        assert answer["query"]["region"] == body.get("region")
        assert image_id not in [hit["image_id"] for hit in answer["results"]]
        assert len(answer["results"]) == 4
    unknown = await client.post("/search", json={"image_id": "0" * 32})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_IMAGE")


async def test_photos_and_thumbnails_come_from_the_folder_and_the_store(
    client: httpx.AsyncClient, folder: Folder
) -> None:
    image_id = folder.id_of("002.png")
    original = await client.get(f"/images/{image_id}")
    assert original.content == photo(2)
    assert original.headers["content-type"] == "image/png"
    thumbnail = await client.get(f"/thumbnails/{image_id}")
    assert Image.open(io.BytesIO(thumbnail.content)).format == "WEBP"


async def test_the_page_shows_an_upload_by_the_services_preview(client: httpx.AsyncClient) -> None:
    page = await client.post("/", files={"image": rotated()})
    start = page.text.index("data:image/webp;base64,") + len("data:image/webp;base64,")
    preview = Image.open(io.BytesIO(base64.b64decode(page.text[start : page.text.index('"', start)])))
    assert (preview.format, preview.size) == ("WEBP", (48, 64))
    assert "The larger network is not at hand." in page.text


async def test_ready_and_described(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200
    index = (await client.get("/index")).json()
    assert (index["count"], index["descriptor"], index["model"]) == (5, "fc6", "fake")
    assert "5 photos" in (await client.get("/")).text


async def test_without_a_store_the_gateway_says_so_and_waits(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path)
    async with running(settings_for(folder), ready=False) as service:
        settings = Settings(
            extractor_address=f"127.0.0.1:{service.server.port}",
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                for address in ("/readyz", "/index", "/"):
                    response = await client.get(address)
                    assert response.status_code == 503
                    assert "retry-after" in response.headers
                assert (await client.get("/healthz")).status_code == 200
