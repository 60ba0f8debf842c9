from __future__ import annotations

import csv
import io
import zipfile

import httpx

from tests.gateway.fake_service import FakeService
from tests.gateway.searching import problem


def address(service: FakeService, kind: str) -> str:
    return f"/selection.{kind}?" + "&".join(f"image_ids={image.image_id}" for image in service.images[:3])


async def test_selected_photos_come_as_a_zip_by_their_paths(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.images[0].paths[:] = ["2019/summer/浜.jpg"]
    service.images[0].taken_at = "2019-07-14T18:03:22"
    service.images[2].taken_at = "1970-01-01T00:00:00"
    response = await client.get(address(service, "zip"))
    assert response.headers["content-disposition"] == 'attachment; filename="photos.zip"'
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    assert archive.namelist() == ["2019/summer/浜.jpg", "set/1.jpg", "set/2.jpg"]
    assert archive.read("set/1.jpg") == b"photo 1"
    assert archive.getinfo("2019/summer/浜.jpg").date_time == (2019, 7, 14, 18, 3, 22)


async def test_a_photo_that_is_gone_is_named_in_the_zip_and_costs_no_other(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    del service.files[service.images[1].image_id]
    archive = zipfile.ZipFile(io.BytesIO((await client.get(address(service, "zip"))).content))
    assert archive.namelist() == ["set/0.jpg", "set/2.jpg", "not included.txt"]
    assert archive.read("not included.txt") == b"set/1.jpg\n"


async def test_a_table_has_a_line_for_each_path(client: httpx.AsyncClient, service: FakeService) -> None:
    service.images[1].paths.append('copies, "old"/1.jpg')
    rows = list(csv.DictReader(io.StringIO((await client.get(address(service, "csv"))).text)))
    assert [row["path"] for row in rows] == ["set/0.jpg", "set/1.jpg", 'copies, "old"/1.jpg', "set/2.jpg"]
    assert rows[1]["image_id"] == rows[2]["image_id"] == service.images[1].image_id


async def test_what_cannot_be_selected_is_refused(client: httpx.AsyncClient, service: FakeService) -> None:
    many = "&".join(["image_ids=" + "0" * 32] * 101)
    for query in ("", many):
        assert problem(await client.get(f"/selection.zip?{query}")) == (422, "INVALID_OPTION")
    assert problem(await client.get("/selection.csv?image_ids=" + "0" * 32)) == (404, "UNKNOWN_IMAGE")


async def test_results_are_sorted_by_date_the_latest_first(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    dates = ["2019-07-14T18:03:22", "", "2021-01-01T00:00:00", "2019-07-14T09:00:00", ""]
    for image, date in zip(service.images, dates, strict=True):
        image.taken_at = date
    answer = await client.post("/search", json={"image": "aGk=", "sort": "date"})
    paths = [hit["path"] for hit in answer.json()["results"]]
    assert paths == ["set/2.jpg", "set/0.jpg", "set/3.jpg", "set/1.jpg", "set/4.jpg"]
    wrong = await client.post("/search", json={"image": "aGk=", "sort": "size"})
    assert problem(wrong) == (422, "INVALID_OPTION")
