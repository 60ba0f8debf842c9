from __future__ import annotations

import grpc
import httpx
import pytest

from tests.gateway.conftest import Connect
from tests.gateway.fake_service import Failure, FakeService
from tests.gateway.searching import problem


async def test_an_original_is_its_bytes(client: httpx.AsyncClient, service: FakeService) -> None:
    image_id = service.images[1].image_id
    response = await client.get(f"/images/{image_id}")
    assert response.content == b"photo 1"
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["etag"] == f'"{image_id}"'
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-disposition"] == 'inline; filename="1.jpg"'
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_thumbnail_is_webp(client: httpx.AsyncClient, service: FakeService) -> None:
    response = await client.get(f"/thumbnails/{service.images[1].image_id}")
    assert response.content == b"thumbnail of photo 1"
    assert response.headers["content-type"] == "image/webp"
    assert "immutable" in response.headers["cache-control"]


async def test_a_larger_picture_is_another_one_and_no_other_size_is_made(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image_id = service.images[1].image_id
    service.renderings[image_id] = b"larger"
    small, large = [await client.get(f"/thumbnails/{image_id}{size}") for size in ("", "?size=1600")]
    assert (small.content, large.content) == (b"thumbnail of photo 1", b"larger")
    assert small.headers["etag"] != large.headers["etag"]
    assert problem(await client.get(f"/thumbnails/{image_id}?size=300")) == (422, "INVALID_OPTION")


@pytest.mark.parametrize("folder", ["images", "thumbnails"])
async def test_a_known_copy_is_not_sent_again(
    client: httpx.AsyncClient, service: FakeService, folder: str
) -> None:
    address = f"/{folder}/{service.images[0].image_id}"
    etag = (await client.get(address)).headers["etag"]
    for known in (etag, f'"other", W/{etag}'):
        service.calls.clear()
        response = await client.get(address, headers={"if-none-match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert "immutable" in response.headers["cache-control"]
        assert service.calls == []
    assert (await client.get(address, headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("asked", "content", "content_range"),
    [
        ("bytes=2-4", b"oto", "bytes 2-4/7"),
        ("bytes=2-", b"oto 1", "bytes 2-6/7"),
        ("bytes=2-99", b"oto 1", "bytes 2-6/7"),
        ("bytes=0-", b"photo 1", "bytes 0-6/7"),
        ("bytes=-2", b" 1", "bytes 5-6/7"),
        ("bytes=-99", b"photo 1", "bytes 0-6/7"),
        (f"bytes=2-{'9' * 5_000}", b"oto 1", "bytes 2-6/7"),
        (f"bytes=-{'9' * 5_000}", b"photo 1", "bytes 0-6/7"),
    ],
)
async def test_a_part_of_an_original_can_be_asked_for(
    client: httpx.AsyncClient, service: FakeService, asked: str, content: bytes, content_range: str
) -> None:
    response = await client.get(f"/images/{service.images[1].image_id}", headers={"range": asked})
    assert (response.status_code, response.content) == (206, content)
    assert response.headers["content-range"] == content_range
    assert response.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=7-", "bytes=99-100", "bytes=-0", f"bytes={'9' * 5_000}-"])
async def test_a_part_that_the_original_does_not_have_is_refused(
    client: httpx.AsyncClient, service: FakeService, asked: str
) -> None:
    response = await client.get(f"/images/{service.images[1].image_id}", headers={"range": asked})
    assert problem(response) == (416, "RANGE_NOT_SATISFIABLE")
    assert response.headers["content-range"] == "bytes */7"


async def test_a_part_is_sent_only_of_the_version_it_is_asked_of(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    address = f"/images/{service.images[1].image_id}"
    etag = (await client.get(address)).headers["etag"]
    statuses = [
        (await client.get(address, headers={"range": "bytes=2-4", "if-range": condition})).status_code
        for condition in (etag, '"another"', "Wed, 21 Oct 2015 07:28:00 GMT")
    ]
    assert statuses == [206, 200, 200]


@pytest.mark.parametrize(
    "given", ["bytes", "bytes=", "bytes=-", "bytes=4-2", "bytes=x-", "lines=0-1", "bytes=0-1,3-4"]
)
async def test_a_range_that_is_none_gives_the_whole_photo(
    client: httpx.AsyncClient, service: FakeService, given: str
) -> None:
    address = f"/images/{service.images[1].image_id}"
    whole = await client.get(address, headers={"range": given})
    assert (whole.status_code, whole.content) == (200, b"photo 1")


async def test_a_name_in_any_script_is_given_to_the_browser(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image = service.images[0]
    image.paths[:] = ['猫 "1".jpg']
    response = await client.get(f"/images/{image.image_id}")
    assert response.headers["content-disposition"] == "inline; filename*=utf-8''%E7%8C%AB%20%221%22.jpg"


@pytest.mark.parametrize("folder", ["images", "thumbnails"])
@pytest.mark.parametrize(
    "image_id",
    [
        "0" * 32,
        "0" * 31,
        "G" * 32,
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "set%2F0.jpg",
        "set/0.jpg",
        "%00",
        ".",
    ],
)
async def test_what_is_no_known_id_is_not_found(
    client: httpx.AsyncClient, folder: str, image_id: str
) -> None:
    response = await client.get(f"/{folder}/{image_id}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_type_that_a_browser_might_run_goes_out_as_bytes(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.images[0].media_type = "text/html"
    response = await client.get(f"/images/{service.images[0].image_id}")
    assert response.headers["content-type"] == "application/octet-stream"


async def test_a_head_of_an_original_asks_for_none_of_its_bytes(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    address = f"/images/{service.images[1].image_id}"
    by_get = await client.get(address)
    by_head = await client.head(address)
    for name in ("content-length", "content-type", "content-disposition", "accept-ranges", "etag"):
        assert by_head.headers[name] == by_get.headers[name]
    assert service.originals[-1].HasField("length")
    assert service.originals[-1].length == 0


@pytest.mark.parametrize("folder", ["images", "thumbnails"])
async def test_a_photo_that_is_gone_is_not_found(
    client: httpx.AsyncClient, service: FakeService, folder: str
) -> None:
    service.files.clear()
    service.thumbnails.clear()
    address = f"/{folder}/{service.images[0].image_id}"
    assert problem(await client.get(address)) == (404, "PHOTO_GONE")
    assert (await client.head(address)).status_code == 404


@pytest.mark.parametrize("folder", ["images", "thumbnails"])
@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (grpc.StatusCode.INTERNAL, (502, "EXTRACTOR_FAILED")),
        (grpc.StatusCode.UNAVAILABLE, (503, "EXTRACTOR_UNAVAILABLE")),
    ],
)
async def test_a_failure_before_the_first_byte_is_a_problem(
    client: httpx.AsyncClient,
    service: FakeService,
    folder: str,
    code: grpc.StatusCode,
    answer: tuple[int, str],
) -> None:
    service.failure = Failure(code)
    assert problem(await client.get(f"/{folder}/{service.images[0].image_id}")) == answer


@pytest.mark.parametrize("folder", ["images", "thumbnails"])
async def test_a_service_that_does_not_answer_in_time_is_a_problem(
    connect: Connect, service: FakeService, folder: str
) -> None:
    service.delay_s = 30
    async with connect(search_timeout_s=0.2) as client:
        response = await client.get(f"/{folder}/{service.images[0].image_id}")
    assert problem(response) == (504, "DEADLINE_EXCEEDED")


async def test_a_thumbnail_is_asked_of_the_service_once(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    addresses = [f"/thumbnails/{image.image_id}" for image in service.images]
    first = [(await client.get(address)).content for address in addresses]
    again = [(await client.get(address)).content for address in addresses]
    assert again == first
    assert service.calls == ["GetThumbnail"] * 5
