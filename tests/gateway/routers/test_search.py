from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import pytest

from gateway.languages import LANGUAGES
from protos.imagesearch.v1 import search_pb2
from tests.gateway.conftest import Connect
from tests.gateway.fake_service import Failure, FakeService
from tests.gateway.searching import PHOTO, in_base64, problem


async def test_a_multipart_upload_returns_the_documented_body(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    response = await client.post("/search", files={"image": ("../evil.jpg", PHOTO)}, data={"limit": "1"})
    first = service.images[0]
    assert response.status_code == 200
    assert response.json() == {
        "query": {"width": 640, "height": 480, "region": None, "damaged": False, "image_id": None},
        "results": [
            {
                "image_id": first.image_id,
                "url": f"/images/{first.image_id}",
                "thumbnail_url": f"/thumbnails/{first.image_id}",
                "path": "set/0.jpg",
                "paths": ["set/0.jpg"],
                "width": 640,
                "height": 480,
                "taken_at": None,
                "distance": 0.1,
                "score": 0.999,
                "match": None,
                "located": None,
                "damaged": False,
                "likeness": "alike",
                "rank_score": None,
                "also": [],
            }
        ],
        "next_offset": 1,
        "index": {
            "version": "000001",
            "count": 5,
            "descriptor": "fc6",
            "model": "vgg16",
            "model_title": "VGG16 (ImageNet)",
            "approximate": False,
        },
        "timings_ms": {
            "decode": 3.14,
            "extract": 21.0,
            "search": 0.6,
            "verify": 0.0,
            "localize": 0.0,
            "total": 27.4,
        },
    }


async def test_all_paths_and_dates_are_told_and_whether_the_upload_is_indexed(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    first = service.images[0]
    first.paths.append("copies/0.jpg")
    first.taken_at = "2019-07-14T18:03:22"
    service.indexed_upload = first.image_id
    answer = (await client.post("/search", files={"image": PHOTO})).json()
    assert answer["query"]["image_id"] == first.image_id
    assert answer["results"][0]["paths"] == ["set/0.jpg", "copies/0.jpg"]
    assert [hit["taken_at"] for hit in answer["results"]] == ["2019-07-14T18:03:22", *[None] * 4]


async def test_damaged_photos_are_told(client: httpx.AsyncClient, service: FakeService) -> None:
    service.images[1].damaged = True
    service.is_upload_damaged = True
    answer = (await client.post("/search", files={"image": PHOTO})).json()
    assert answer["query"]["damaged"]
    assert [hit["damaged"] for hit in answer["results"]] == [False, True, False, False, False]
    ids = [image.image_id for image in service.images[:2]]
    answer = (await client.post("/search", json={"image_ids": ids})).json()
    assert [photo["damaged"] for photo in answer["query_photos"]] == [False, True]


async def test_both_forms_carry_the_same_query(client: httpx.AsyncClient, service: FakeService) -> None:
    form = {
        "limit": "7",
        "region": "0.1, 0.2,0.3,0.4",
        "exact": "true",
        "expand": "1",
        "verify": "TRUE",
        "localize": "1",
        "max_distance": "0.5",
        "offset": "14",
        "min_score": "0.9",
        "folder": "2019/Summer 写真",
        "taken_from": "2019-07-01",
        "taken_to": "2019-07-31",
    }
    body = {
        "image": in_base64(PHOTO),
        "limit": 7,
        "region": {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4},
        "exact": True,
        "expand": True,
        "verify": True,
        "localize": True,
        "max_distance": 0.5,
        "offset": 14,
        "min_score": 0.9,
        "folder": "2019/Summer 写真",
        "taken_from": "2019-07-01",
        "taken_to": "2019-07-31",
    }
    await client.post("/search", files={"image": PHOTO}, data=form)
    await client.post("/search", json=body)
    by_form, by_json = service.searches
    assert by_form == by_json
    assert by_form.image.content == PHOTO
    assert by_form.image.max_pixels == 110_000_000
    assert (by_form.limit, by_form.offset, by_form.min_score) == (7, 14, 0.9)
    assert (by_form.folder, by_form.taken_from, by_form.taken_to) == (
        "2019/Summer 写真",
        "2019-07-01",
        "2019-07-31",
    )
    assert by_form.exact and by_form.expand and by_form.verify and by_form.localize
    assert by_form.region.width == 0.3
    assert not by_form.preview


async def test_options_have_their_defaults(client: httpx.AsyncClient, service: FakeService) -> None:
    await client.post("/search", json={"image": in_base64(PHOTO)})
    request = service.searches[0]
    assert request.limit == 30
    assert not (request.exact or request.expand or request.verify or request.localize)
    assert not request.HasField("region")
    assert not (request.HasField("max_distance") or request.HasField("min_score"))
    assert (request.offset, request.folder, request.taken_from, request.taken_to) == (0, "", "", "")


async def test_blank_fields_of_a_form_are_left_at_their_defaults(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    blank = {"limit": "", "region": ["", "", "", ""], "exact": " ", "image_id": "", "max_distance": ""}
    blank |= {"offset": "", "folder": "", "taken_from": "", "taken_to": " ", "min_score": ""}
    response = await client.post("/search", files={"image": PHOTO}, data=blank)
    assert response.status_code == 200
    assert (service.searches[0].limit, service.searches[0].taken_to) == (30, "")


async def test_the_next_page_is_told_as_long_as_there_is_one(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    paths, offset = [], 0
    while offset is not None:
        body = {"image": in_base64(PHOTO), "limit": 2, "offset": offset}
        answer = (await client.post("/search", json=body)).json()
        paths += [hit["path"] for hit in answer["results"]]
        offset = answer["next_offset"]
    assert paths == [image.paths[0] for image in service.images]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("offset", -1), ("offset", 1_000), ("min_score", 1.5), ("min_score", -0.1), ("folder", "x" * 5_000),
        ("taken_from", "July 2019"), ("taken_to", "2019-02-30"),
    ],
)  # fmt: skip
async def test_an_option_outside_its_range_is_refused_by_name_in_both_forms(
    client: httpx.AsyncClient, option: str, value: Any
) -> None:
    by_json = await client.post("/search", json={"image": in_base64(PHOTO), option: value})
    assert problem(by_json) == (422, "INVALID_OPTION")
    assert option in by_json.json()["detail"]
    if len(str(value)) < 1_000:
        by_form = await client.post("/search", files={"image": PHOTO}, data={option: str(value)})
        assert by_form.json()["detail"] == by_json.json()["detail"]


async def test_what_the_service_says_of_a_folder_is_passed_on(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    sentence = LANGUAGES["en"].sentences["service.folder"]
    service.failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_OPTION", sentence)
    response = await client.post("/search", json={"image": in_base64(PHOTO), "folder": "../x"})
    assert problem(response) == (422, "INVALID_OPTION")
    assert response.json()["detail"] == sentence
    service.failure = Failure(grpc.StatusCode.NOT_FOUND, "UNKNOWN_FOLDER")
    response = await client.post("/search", json={"image": in_base64(PHOTO), "folder": "x"})
    assert problem(response) == (404, "UNKNOWN_FOLDER")


async def test_a_region_may_be_four_fields(client: httpx.AsyncClient, service: FakeService) -> None:
    await client.post("/search", files={"image": PHOTO}, data={"region": ["0", "0.5", "1", "0.5"]})
    assert service.searches[0].region.height == 0.5


async def test_an_indexed_image_is_searched_for_by_its_id(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image_id = service.images[2].image_id
    response = await client.post("/search", json={"image_id": image_id})
    found = [hit["image_id"] for hit in response.json()["results"]]
    assert len(found) == 4
    assert image_id not in found


async def test_a_data_address_is_taken_as_base64(client: httpx.AsyncClient, service: FakeService) -> None:
    await client.post("/search", json={"image": "data:image/jpeg;base64," + in_base64(PHOTO)})
    assert service.searches[0].image.content == PHOTO


@pytest.mark.parametrize(
    "encode",
    [
        base64.encodebytes,
        base64.urlsafe_b64encode,
        lambda content: base64.urlsafe_b64encode(content).rstrip(b"="),
        lambda content: base64.encodebytes(content).replace(b"\n", b"\r\n"),
    ],
    ids=["in lines", "url-safe", "without its end", "in lines of two characters' breaks"],
)
async def test_base64_may_be_in_lines_or_url_safe(
    client: httpx.AsyncClient, service: FakeService, encode: Callable[[bytes], bytes]
) -> None:
    content = bytes(range(256)) * 2 + b"\xff\xfe"
    await client.post("/search", json={"image": encode(content).decode()})
    assert service.searches[0].image.content == content


async def test_a_region_that_rounding_pushed_past_the_edge_is_clamped(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    data = {"region": "0.123457,0,0.876544,1"}  # six digits each: together 1.000001
    assert (await client.post("/search", files={"image": PHOTO}, data=data)).status_code == 200
    region = service.searches[0].region
    assert region.x + region.width <= 1


async def test_the_score_is_null_where_the_collection_is_too_small_to_tell(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.has_scores = False
    response = await client.post("/search", files={"image": PHOTO})
    assert [hit["score"] for hit in response.json()["results"]] == [None] * 5


async def test_a_located_part_can_be_searched_with(client: httpx.AsyncClient, service: FakeService) -> None:
    service.located = search_pb2.Region(x=0.7, y=0.1, width=0.3, height=1 / 3)
    options = {"localize": "true", "limit": "1"}
    [hit] = (await client.post("/search", files={"image": PHOTO}, data=options)).json()["results"]
    assert hit["located"] == {"x": 0.7, "y": 0.1, "width": 0.3, "height": 1 / 3}
    body = {"image_id": hit["image_id"], "region": hit["located"]}
    assert (await client.post("/search", json=body)).status_code == 200
    assert service.searches[-1].region == service.located


async def test_a_verified_match_has_its_outline(client: httpx.AsyncClient, service: FakeService) -> None:
    corners = [search_pb2.Point(x=x, y=y) for x, y in ((0, 0), (1, 0), (1, 0.5), (0, 0.5))]
    service.match = search_pb2.Match(inliers=23, quadrilateral=corners)
    response = await client.post("/search", files={"image": PHOTO}, data={"verify": "true"})
    assert response.json()["results"][0]["match"] == {
        "inliers": 23,
        "quadrilateral": [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 1, "y": 0.5}, {"x": 0, "y": 0.5}],
    }


async def test_points_come_when_asked_for_rounded(client: httpx.AsyncClient, service: FakeService) -> None:
    service.match = search_pb2.Match(
        inliers=1,
        query_points=[search_pb2.Point(x=0.123456, y=0.5)],
        result_points=[search_pb2.Point(x=0.25, y=0.75)],
    )
    response = await client.post("/search", files={"image": PHOTO}, data={"verify": "true", "points": "true"})
    assert service.searches[0].points
    assert response.json()["results"][0]["match"]["points"] == [
        {"query": {"x": 0.1235, "y": 0.5}, "result": {"x": 0.25, "y": 0.75}}
    ]


async def test_several_photos_are_one_query_in_both_forms(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    liked, disliked = (image.image_id for image in service.images[:2])
    form: list[Any] = [
        ("images", b"one"),
        ("images", b"two"),
        ("not_images", b"three"),
        ("image_ids", (None, liked)),
        ("not_image_ids", (None, disliked)),
        ("limit", (None, "3")),
    ]
    body = {
        "images": [in_base64(b"one"), in_base64(b"two")],
        "not_images": [in_base64(b"three")],
        "image_ids": [liked],
        "not_image_ids": [disliked],
        "limit": 3,
    }
    answer = (await client.post("/search", files=form)).json()
    assert (await client.post("/search", json=body)).json() == answer
    by_form, by_json = service.searches
    assert by_form == by_json
    positives, negatives = by_form.photos.positives, by_form.photos.negatives
    assert [photo.image.content or photo.image_id for photo in positives] == [b"one", b"two", liked]
    assert [photo.image.content or photo.image_id for photo in negatives] == [b"three", disliked]
    assert positives[0].image.max_pixels == 110_000_000
    assert answer["query_photos"] == [
        {"image_id": image_id, "negative": negative, "width": 640, "height": 480, "damaged": False}
        for image_id, negative in (
            (None, False),
            (None, False),
            (liked, False),
            (None, True),
            (disliked, True),
        )
    ]
    assert answer["query"] == {
        "width": 640,
        "height": 480,
        "region": None,
        "damaged": False,
        "image_id": None,
    }
    assert not {liked, disliked} & {hit["image_id"] for hit in answer["results"]}


async def test_a_list_of_one_photo_is_a_search_with_one_photo(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    region = {"x": 0, "y": 0, "width": 0.5, "height": 1}
    for body in ({"image_ids": [service.images[0].image_id]}, {"image_id": service.images[0].image_id}):
        answer = (await client.post("/search", json={**body, "region": region})).json()
        assert "query_photos" not in answer
    assert service.searches[0] == service.searches[1]


async def test_a_match_tells_which_of_several_photos_was_found(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.match = search_pb2.Match(inliers=9, photo=1)
    body = {"image_ids": [image.image_id for image in service.images[:2]], "verify": True}
    assert (await client.post("/search", json=body)).json()["results"][0]["match"]["query_photo"] == 1
    single = {"image_id": service.images[0].image_id, "verify": True}
    match = (await client.post("/search", json=single)).json()["results"][0]["match"]
    assert "query_photo" not in match


async def test_several_photos_together_are_as_large_as_one_may_be(connect: Connect) -> None:
    async with connect(max_upload_bytes=1000) as client:
        for second, status in ((b"y" * 500, 200), (b"y" * 501, 413)):
            files = [("images", b"x" * 500), ("not_images", second)]
            body = {"images": [in_base64(b"x" * 500)], "not_images": [in_base64(second)]}
            for form in ({"files": files}, {"json": body}):
                assert (await client.post("/search", **form)).status_code == status


async def test_what_a_result_stands_for_is_listed_behind_it(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image_id = service.images[4].image_id
    service.also = [search_pb2.OtherImage(image_id=image_id, path="set/4.jpg")]
    answer = (await client.post("/search", json={"image_id": image_id, "collapse": True})).json()
    assert service.searches[0].collapse
    assert answer["results"][0]["also"] == [
        {
            "image_id": image_id,
            "url": f"/images/{image_id}",
            "thumbnail_url": f"/thumbnails/{image_id}",
            "path": "set/4.jpg",
        }
    ]
    page = await client.get(f"/?image_id={image_id}&collapse=true")
    assert "+1 copy" in page.text
