from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.gateway.fake_service import FakeService


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


@pytest.mark.parametrize("folder", ["images", "thumbnails"])
async def test_a_known_copy_is_not_sent_again(
    client: httpx.AsyncClient, service: FakeService, folder: str
) -> None:
    address = f"/{folder}/{service.images[0].image_id}"
    etag = (await client.get(address)).headers["etag"]
    for known in (etag, f'"other", W/{etag}'):
        response = await client.get(address, headers={"if-none-match": known})
        assert (response.status_code, response.content) == (304, b"")
    assert (await client.get(address, headers={"if-none-match": '"other"'})).status_code == 200


async def test_a_part_of_an_original_can_be_asked_for(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    address = f"/images/{service.images[1].image_id}"
    part = await client.get(address, headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"oto")
    behind = await client.get(address, headers={"range": "bytes=99-"})
    assert behind.status_code == 416
    assert behind.json()["code"] == "RANGE_NOT_SATISFIABLE"
    last = await client.get(address, headers={"range": "bytes=-2"})
    assert (last.status_code, last.content) == (206, b" 1")


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
    client: httpx.AsyncClient, service: FakeService, tmp_path: Path
) -> None:
    image = service.images[0]
    (tmp_path / "photos" / '猫 "1".jpg').write_bytes(b"photo 0")
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


async def test_another_path_of_the_same_bytes_serves_where_the_first_is_gone(
    client: httpx.AsyncClient, service: FakeService, tmp_path: Path
) -> None:
    image = service.images[0]
    (tmp_path / "photos" / "set" / "0.jpg").rename(tmp_path / "photos" / "copy.jpg")
    image.paths[:] = ["set/0.jpg", "copy.jpg"]
    assert (await client.get(f"/images/{image.image_id}")).content == b"photo 0"


@pytest.mark.parametrize("change", ["deleted", "longer", "a folder", "a link to elsewhere"])
async def test_a_file_that_is_no_longer_the_indexed_one_is_gone(
    client: httpx.AsyncClient, service: FakeService, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "photos" / "set" / "0.jpg"
    path.unlink()
    if change == "longer":
        path.write_bytes(b"another photo")
    elif change == "a folder":
        path.mkdir()
    elif change == "a link to elsewhere":
        (tmp_path / "private").write_bytes(b"photo 0")
        path.symlink_to(tmp_path / "private")
    response = await client.get(f"/images/{service.images[0].image_id}")
    assert (response.status_code, response.json()["code"]) == (404, "PHOTO_GONE")
    assert str(tmp_path) not in response.text


@pytest.mark.parametrize("path", ["../private", "/etc/passwd", "set/../../private"])
async def test_a_path_of_the_record_cannot_lead_outside(
    client: httpx.AsyncClient, service: FakeService, tmp_path: Path, path: str
) -> None:
    (tmp_path / "private").write_bytes(b"secret!")  # as long as the photo
    image = service.images[0]
    image.paths[:] = [path]
    image.thumbnail_path = path
    for folder in ("images", "thumbnails"):
        response = await client.get(f"/{folder}/{image.image_id}")
        assert response.status_code == 404


async def test_a_link_inside_the_folder_is_followed(
    client: httpx.AsyncClient, service: FakeService, tmp_path: Path
) -> None:
    (tmp_path / "photos" / "link.jpg").symlink_to(tmp_path / "photos" / "set" / "0.jpg")
    service.images[0].paths[:] = ["link.jpg"]
    assert (await client.get(f"/images/{service.images[0].image_id}")).content == b"photo 0"


async def test_a_type_that_a_browser_might_run_goes_out_as_bytes(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.images[0].media_type = "text/html"
    response = await client.get(f"/images/{service.images[0].image_id}")
    assert response.headers["content-type"] == "application/octet-stream"
