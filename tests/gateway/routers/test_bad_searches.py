"""Searches refused for what was sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.conftest import Connect
from tests.gateway.fake_service import FakeService
from tests.gateway.searching import PHOTO, in_base64, problem

BAD_FORMS = {
    "an empty file": ({"image": ("a.jpg", b"")}, {}, (400, "EMPTY_IMAGE")),
    "no file chosen": ({"image": ("", b"")}, {}, (400, "NOT_ONE_QUERY")),
    "nothing": (None, {}, (415, "UNSUPPORTED_CONTENT_TYPE")),
    "a photo and an id": ({"image": PHOTO}, {"image_id": "a" * 32}, (400, "NOT_ONE_QUERY")),
    "two photos": ([("image", PHOTO), ("image", PHOTO)], {}, (400, "NOT_ONE_QUERY")),
    "one photo and a list": ([("image", PHOTO), ("images", PHOTO)], {}, (400, "NOT_ONE_QUERY")),
    "nine photos": ([("images", PHOTO)] * 9, {}, (422, "TOO_MANY_PHOTOS")),
    "nothing to be like": ({"not_images": PHOTO}, {"not_image_ids": "a" * 32}, (422, "NO_POSITIVE_PHOTO")),
    "a part of several": ([("images", PHOTO)] * 2, {"region": "0,0,1,0.5"}, (422, "REGION_OF_SEVERAL")),
    "an empty file among others": ([("images", PHOTO), ("images", b"")], {}, (400, "EMPTY_IMAGE")),
    "a text as photo": ({"images": (None, "photo")}, {}, (422, "INVALID_OPTION")),
    "a file as id": ({"image_ids": PHOTO}, {}, (422, "INVALID_OPTION")),
    "a photo under another name": ({"photo": PHOTO}, {}, (422, "INVALID_OPTION")),
    "an unknown option": ({"image": PHOTO}, {"colour": "red"}, (422, "INVALID_OPTION")),
    "limit 0": ({"image": PHOTO}, {"limit": "0"}, (422, "INVALID_OPTION")),
    "limit 101": ({"image": PHOTO}, {"limit": "101"}, (422, "INVALID_OPTION")),
    "half a limit": ({"image": PHOTO}, {"limit": "2.5"}, (422, "INVALID_OPTION")),
    "a yes": ({"image": PHOTO}, {"exact": "yes"}, (422, "INVALID_OPTION")),
    "three numbers": ({"image": PHOTO}, {"region": "0,0,1"}, (422, "INVALID_OPTION")),
    "a region without area": ({"image": PHOTO}, {"region": "0,0,0,1"}, (422, "INVALID_OPTION")),
    "a region outside": ({"image": PHOTO}, {"region": "0.5,0,0.6,1"}, (422, "INVALID_OPTION")),
    "a region before the edge": ({"image": PHOTO}, {"region": "-0.1,0,1,1"}, (422, "INVALID_OPTION")),
    "a region of no numbers": ({"image": PHOTO}, {"region": "nan,0,1,1"}, (422, "INVALID_OPTION")),
    "a negative distance": ({"image": PHOTO}, {"max_distance": "-1"}, (422, "INVALID_OPTION")),
    "an endless distance": ({"image": PHOTO}, {"max_distance": "inf"}, (422, "INVALID_OPTION")),
    "an option as long as a book": ({"image": PHOTO}, {"limit": "1" * 5000}, (400, "MALFORMED_REQUEST")),
}


@pytest.mark.parametrize("case", BAD_FORMS)
async def test_a_bad_form_is_refused(client: httpx.AsyncClient, service: FakeService, case: str) -> None:
    files, data, expected = BAD_FORMS[case]
    assert problem(await client.post("/search", files=files, data=data)) == expected
    assert service.searches == []


BAD_BODIES: dict[str, tuple[str | bytes, tuple[int, str]]] = {
    "no JSON": ("{", (400, "MALFORMED_REQUEST")),
    "nothing": ("", (400, "MALFORMED_REQUEST")),
    "no object": ("[1]", (400, "MALFORMED_REQUEST")),
    "no UTF-8": (b'{"image": "\xff"}', (400, "MALFORMED_REQUEST")),
    "a deep nest": ("[" * 100_000, (400, "MALFORMED_REQUEST")),
    "neither": ("{}", (400, "NOT_ONE_QUERY")),
    "both": (json.dumps({"image": "AA==", "image_id": "a" * 32}), (400, "NOT_ONE_QUERY")),
    "no base64": (json.dumps({"image": "not base64!"}), (400, "INVALID_BASE64")),
    "base64 that ends too early": (json.dumps({"image": "QUJDQ"}), (400, "INVALID_BASE64")),
    "base64 that goes on after its end": (json.dumps({"image": "QQ==QUJD"}), (400, "INVALID_BASE64")),
    "base64 in other letters": (json.dumps({"image": "あああ="}), (400, "INVALID_BASE64")),
    "zero-byte base64": (json.dumps({"image": ""}), (400, "EMPTY_IMAGE")),
    "an empty data address": (json.dumps({"image": "data:image/png;base64,"}), (400, "EMPTY_IMAGE")),
    "a number as image": (json.dumps({"image": 5}), (422, "INVALID_OPTION")),
    "an unknown field": (json.dumps({"image": "AA==", "colour": "red"}), (422, "INVALID_OPTION")),
    "a limit in quotes": (json.dumps({"image": "AA==", "limit": "5"}), (422, "INVALID_OPTION")),
    "a truth as limit": (json.dumps({"image": "AA==", "limit": True}), (422, "INVALID_OPTION")),
    "a region with a fifth side": (
        json.dumps({"image": "AA==", "region": {"x": 0, "y": 0, "width": 1, "height": 1, "depth": 1}}),
        (422, "INVALID_OPTION"),
    ),
    "a region outside": (
        json.dumps({"image": "AA==", "region": {"x": 0.6, "y": 0, "width": 0.5, "height": 1}}),
        (422, "INVALID_OPTION"),
    ),
    "one photo and a list": (json.dumps({"image": "AA==", "image_ids": ["a" * 32]}), (400, "NOT_ONE_QUERY")),
    "empty lists": (json.dumps({"images": [], "image_ids": []}), (400, "NOT_ONE_QUERY")),
    "nine in one list": (json.dumps({"image_ids": ["a" * 32] * 9}), (422, "TOO_MANY_PHOTOS")),
    "nine in all": (
        json.dumps({"image_ids": ["a" * 32] * 5, "not_images": ["AA=="] * 4}),
        (422, "TOO_MANY_PHOTOS"),
    ),
    "nothing to be like": (json.dumps({"not_image_ids": ["a" * 32]}), (422, "NO_POSITIVE_PHOTO")),
    "a part of several": (
        json.dumps({"image_ids": ["a" * 32] * 2, "region": {"x": 0, "y": 0, "width": 1, "height": 1}}),
        (422, "REGION_OF_SEVERAL"),
    ),
    "an id in place of a list": (json.dumps({"image_ids": "a" * 32}), (422, "INVALID_OPTION")),
    "no list": (json.dumps({"image_ids": None}), (422, "INVALID_OPTION")),
    "no base64 in a list": (json.dumps({"images": ["AA==", "no!"]}), (400, "INVALID_BASE64")),
    "a path among ids": (json.dumps({"image_ids": ["a" * 32, "../x"]}), (404, "UNKNOWN_IMAGE")),
    "a path as id": (json.dumps({"image_id": "../../etc/passwd"}), (404, "UNKNOWN_IMAGE")),
    "an empty id": (json.dumps({"image_id": ""}), (404, "UNKNOWN_IMAGE")),
    "an id in capitals": (json.dumps({"image_id": "A" * 32}), (404, "UNKNOWN_IMAGE")),
}


@pytest.mark.parametrize("case", BAD_BODIES)
async def test_a_bad_json_body_is_refused(client: httpx.AsyncClient, service: FakeService, case: str) -> None:
    content, expected = BAD_BODIES[case]
    headers = {"content-type": "application/json; charset=utf-8"}
    assert problem(await client.post("/search", content=content, headers=headers)) == expected
    assert service.searches == []


async def test_an_option_error_says_what_is_right(client: httpx.AsyncClient) -> None:
    limit = await client.post("/search", json={"image": "AA==", "limit": 0})
    assert limit.json()["detail"] == "limit must be a whole number from 1 to 100."
    unknown = await client.post("/search", json={"image": "AA==", "colour" * 20: 1})
    assert unknown.json()["detail"] == "There is no option “" + ("colour" * 20)[:40] + "”."


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "image/jpeg", ""]
)
async def test_another_content_type_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/search", content=b"x", headers={"content-type": content_type})
    assert problem(response) == (415, "UNSUPPORTED_CONTENT_TYPE")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=other"])
async def test_a_form_without_its_parts_is_malformed(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/search", content=b"--x\r\n", headers={"content-type": content_type})
    assert problem(response) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("cut", [1, 4, 30, 60])
async def test_a_form_that_is_cut_off_is_malformed(client: httpx.AsyncClient, cut: int) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nphoto\r\n--x--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post("/search", content=form, headers=headers)).status_code == 200
    cut_off = await client.post("/search", content=form[: -2 - cut], headers=headers)
    assert problem(cut_off) == (400, "MALFORMED_REQUEST")


async def test_a_form_in_a_codec_that_cannot_decode_is_malformed(client: httpx.AsyncClient) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="limit"\r\n\r\n\xff\xff\r\n--x--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x; charset=punycode"}
    response = await client.post("/search", content=part, headers=headers)
    assert problem(response)[0] in (400, 422)


async def test_a_photo_of_the_largest_size_is_taken_and_one_byte_more_is_not(connect: Connect) -> None:
    async with connect(max_upload_bytes=1000) as client:
        for form in ({"files": {"image": b"x" * 1000}}, {"json": {"image": in_base64(b"x" * 1000)}}):
            assert (await client.post("/search", **form)).status_code == 200
        for form in ({"files": {"image": b"x" * 1001}}, {"json": {"image": in_base64(b"x" * 1001)}}):
            assert problem(await client.post("/search", **form)) == (413, "TOO_MANY_BYTES")


async def test_a_declared_length_over_the_limit_is_refused_unread(connect: Connect) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"x"

    async with connect(max_upload_bytes=1000) as client:
        headers = {"content-type": "application/json", "content-length": "1000000"}
        response = await client.post("/search", content=body(), headers=headers)
    assert problem(response) == (413, "TOO_MANY_BYTES")
