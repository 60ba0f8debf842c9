from __future__ import annotations

import re
from typing import Any

import grpc
import httpx
import pytest

from tests.gateway.fake_service import Failure, FakeService

PHOTO = {"image": ("a.jpg", b"photo")}


async def test_the_start_offers_indexed_images(client: httpx.AsyncClient, service: FakeService) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    for image in service.images:
        assert f'href="/?image_id={image.image_id}"' in page.text
        assert f'src="/thumbnails/{image.image_id}"' in page.text
    assert "5 photos" in page.text


async def test_an_empty_collection_says_what_to_do(client: httpx.AsyncClient, service: FakeService) -> None:
    service.images.clear()
    page = await client.get("/")
    assert page.status_code == 200
    assert "No photos are indexed yet." in page.text


async def test_the_form_answers_with_query_and_results(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    page = await client.post("/", files=PHOTO)
    assert page.status_code == 200
    assert ">Query</h2>" in page.text
    assert ">Results</h2>" in page.text
    assert 'src="data:image/webp;base64,UklGRnByZXZpZXc="' in page.text  # the service's preview
    assert 'title="Distance 0.100. 99.9% of random image pairs' in page.text
    assert "99.9% of random image pairs of this collection are further apart." in page.text
    assert "compared by VGG16 (ImageNet)" in page.text
    assert 'title="Descriptor fc6, model vgg16"' in page.text
    assert "27 ms: 3.1 decoding, 21 describing, 0.6 searching" in page.text
    assert service.searches[0].preview
    assert "a.jpg" not in page.text


async def test_a_link_reproduces_a_search(client: httpx.AsyncClient, service: FakeService) -> None:
    image_id = service.images[0].image_id
    page = await client.get(f"/?image_id={image_id}&region=0.1,0.2,0.3,0.4&limit=3&exact=true&ref=mail")
    assert page.status_code == 200
    request = service.searches[0]
    assert (request.image_id, request.limit, request.exact, request.region.y) == (image_id, 3, True, 0.2)
    canonical = f"/?image_id={image_id}&amp;limit=3&amp;exact=true&amp;region=0.1,0.2,0.3,0.4"
    assert f'<link rel="canonical" href="{canonical}">' in page.text
    assert f'src="/images/{image_id}"' in page.text
    assert 'alt="set/0.jpg"' in page.text


async def test_the_form_of_options_without_scripts_is_the_same_search(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image_id = service.images[0].image_id
    fields = f"image_id={image_id}&limit=30&region=0.1&region=0.2&region=0.3&region=0.4"
    page = await client.get(f"/?{fields}")
    assert service.searches[0].region.height == 0.4
    assert f'href="/?image_id={image_id}&amp;region=0.1,0.2,0.3,0.4"' in page.text


async def test_results_link_to_a_search_with_the_same_options_but_the_region(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    first, second = service.images[:2]
    page = await client.get(f"/?image_id={first.image_id}&limit=9&region=0,0,1,0.5")
    assert f'class="photo" href="/?image_id={second.image_id}&amp;limit=9"' in page.text


async def test_a_query_that_browsers_cannot_show_is_shown_by_a_picture_of_it(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image = service.images[0]
    image.media_type = "image/heic"
    page = await client.get(f"/?image_id={image.image_id}")
    assert f'src="/thumbnails/{image.image_id}?size=1600"' in page.text
    assert f'href="/images/{image.image_id}"' in page.text


async def test_names_of_files_are_escaped(client: httpx.AsyncClient, service: FakeService) -> None:
    service.images[0].paths[:] = ['"><script>alert(1)</script>.jpg']
    for address in (
        "/",
        f"/?image_id={service.images[0].image_id}",
        f"/?image_id={service.images[1].image_id}",
    ):
        page = await client.get(address)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


async def test_the_page_has_nothing_inline_and_nothing_of_another_host(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    for page in (await client.get("/"), await client.post("/", files=PHOTO), await client.get("/docs")):
        assert not re.search(r"<style|style=|\son\w+=|javascript:", page.text)
        assert re.findall(r"<script[^>]*>[^<]", page.text) == []
        addresses = re.findall(r'(?:src|href|action)="([^"]+)"', page.text)
        assert addresses
        assert [a for a in addresses if not a.startswith(("/", "#", "data:image/webp"))] == []


@pytest.mark.parametrize(
    ("header", "language", "words"),
    [
        ("ja,en;q=0.5", "ja", "写真で、写真を探す"),
        ("fr, ja-JP;q=0.4, en;q=0.8", "en", "Search your photos with a photo"),
        ("", "en", "Search your photos with a photo"),
    ],
)
async def test_the_page_speaks_the_readers_language(
    client: httpx.AsyncClient, header: str, language: str, words: str
) -> None:
    page = await client.get("/", headers={"accept-language": header})
    assert page.headers["content-language"] == language
    assert f'<html lang="{language}">' in page.text
    assert words in page.text
    assert "Accept-Language" in page.headers["vary"]


async def test_a_model_taken_for_want_of_another_is_explained(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.model_note = "The VGG16 weights could not be fetched."
    service.descriptor_note = "Of 9 visual words instead of 256."
    for page in (
        await client.get("/"),
        await client.post("/", files=PHOTO),
        await client.post("/", files=PHOTO),
    ):
        assert "The VGG16 weights could not be fetched." in page.text
        assert "Of 9 visual words instead of 256." in page.text
    assert service.calls.count("GetIndex") == 2  # for the start, and once for all results of a snapshot


async def test_results_do_without_the_explanation_where_it_cannot_be_had(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
    service.failing_calls = ("GetIndex",)
    assert (await client.post("/", files=PHOTO)).status_code == 200


async def test_a_result_can_be_added_to_the_query_with_either_sign(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    first, second = (image.image_id for image in service.images[:2])
    page = await client.get(f"/?image_id={first}&limit=9&region=0,0,1,0.5")
    assert f'href="/?image_ids={first}&amp;image_ids={second}&amp;limit=9"' in page.text
    assert f'href="/?image_ids={first}&amp;not_image_ids={second}&amp;limit=9"' in page.text
    assert 'aria-label="Less like set/1.jpg"' in page.text


async def test_a_link_reproduces_a_search_with_several_photos(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    a, b, c = (image.image_id for image in service.images[:3])
    page = await client.get(f"/?image_ids={a}&image_ids={b}&not_image_ids={c}&limit=3")
    assert page.status_code == 200
    photos = service.searches[0].photos
    assert [photo.image_id for photo in photos.positives] == [a, b]
    assert [photo.image_id for photo in photos.negatives] == [c]
    ids = f"image_ids={a}&amp;image_ids={b}&amp;not_image_ids={c}"
    assert f'<link rel="canonical" href="/?{ids}&amp;limit=3">' in page.text
    for image_id in (a, b, c):
        assert f'src="/thumbnails/{image_id}"' in page.text
    for address in (
        f"/?image_ids={b}&amp;not_image_ids={c}&amp;limit=3",  # without a
        f"/?image_ids={a}&amp;image_ids={b}&amp;limit=3",  # without c
        f"/?image_ids={b}&amp;not_image_ids={a}&amp;not_image_ids={c}&amp;limit=3",  # a turned
        f"/?image_ids={a}&amp;image_ids={b}&amp;image_ids={c}&amp;limit=3",  # c turned
    ):
        assert f'href="{address}"' in page.text


async def test_removing_the_last_photo_to_be_like_starts_anew(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    a, b = (image.image_id for image in service.images[:2])
    page = await client.get(f"/?image_ids={a}&not_image_ids={b}")
    remove = re.search(
        r'<a class="control remove" href="([^"]*)"[^>]*aria-label="Remove set/0.jpg', page.text
    )
    assert remove is not None
    assert remove[1] == "/"
    assert 'aria-label="Less like set/0.jpg"' not in page.text  # it cannot be turned


async def test_a_full_query_offers_no_more_photos(client: httpx.AsyncClient, service: FakeService) -> None:
    image_id = service.images[0].image_id
    fields = [f"image_ids={image_id}"] * 8
    assert "More like" not in (await client.get(f"/?{'&'.join(fields)}")).text
    assert "More like" in (await client.get(f"/?{'&'.join(fields[:7])}")).text


async def test_uploads_and_indexed_photos_go_together_in_the_form(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image_id = service.images[0].image_id
    files: list[Any] = [("images", b"one"), ("not_images", b"two"), ("image_ids", (None, image_id))]
    page = await client.post("/", files=files)
    assert page.status_code == 200
    assert page.text.count('src="data:image/webp;base64,UklGRnByZXZpZXc="') == 2
    assert 'alt="Photo 2 that you chose"' in page.text
    assert f'<input type="hidden" name="image_ids" value="{image_id}">' in page.text
    assert '<link rel="canonical" href="/">' in page.text
    # Links would lose the uploads: only buttons, for the script that still has them.
    assert 'class="control more" href' not in page.text
    assert f'data-address="/?image_ids={image_id}&amp;image_ids={service.images[1].image_id}"' in page.text


async def test_comparing_with_every_photo_is_offered_where_that_is_not_done_anyway(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    assert "Compare with every photo" not in (await client.get("/")).text
    service.approximate = True
    assert "Compare with every photo" in (await client.get("/")).text


BAD_REQUESTS = [
    ("POST", "/", {"files": {"image": ("a.jpg", b"")}}, 400, "Empty file"),
    ("POST", "/", {"files": {"image": ("", b"")}}, 400, "Choose a photo"),
    ("POST", "/", {"files": PHOTO, "data": {"limit": "0"}}, 422, "limit must be a whole number"),
    ("POST", "/", {"json": {"image": "AA=="}}, 415, "Unsupported content type"),
    ("GET", "/?image_id=../../etc/passwd", {}, 404, "Photo not found"),
    ("GET", "/?image_id=" + "0" * 32, {}, 404, "Photo not found"),
    ("GET", "/?image_id=" + "0" * 32 + "&limit=101", {}, 422, "limit must be a whole number"),
    ("GET", "/?not_image_ids=" + "0" * 32, {}, 422, "Only photos to avoid"),
    ("GET", "/?" + "&".join(["image_ids=" + "0" * 32] * 9), {}, 422, "at most 8 photos"),
    ("GET", f"/?image_id={'0' * 32}&image_ids={'0' * 32}", {}, 400, "Choose a photo"),
    ("PUT", "/", {}, 405, "Method not allowed"),
    ("GET", "/nowhere", {"headers": {"accept": "text/html"}}, 404, "Page not found"),
    ("GET", "/images/" + "0" * 32, {"headers": {"accept": "text/html"}}, 404, "Photo not found"),
]


@pytest.mark.parametrize(("method", "address", "request_parts", "status", "words"), BAD_REQUESTS)
async def test_an_error_is_a_page_of_the_right_status(
    client: httpx.AsyncClient,
    method: str,
    address: str,
    request_parts: dict[str, Any],
    status: int,
    words: str,
) -> None:
    page = await client.request(method, address, **request_parts)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in page.text
    assert words in page.text
    assert page.headers["x-request-id"] in page.text
    assert 'type="file"' in page.text  # the way on
    assert 'href="/">Start page</a>' in page.text


@pytest.mark.parametrize("call", ["GetIndex", "ListImages"])
async def test_the_start_says_when_the_service_is_not_ready(
    client: httpx.AsyncClient, service: FakeService, call: str
) -> None:
    service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
    service.failing_calls = (call,)
    page = await client.get("/")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "The index is not loaded yet." in page.text
    assert "secret" not in page.text


async def test_a_failed_search_keeps_the_query_and_its_options_at_hand(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.failure = Failure(grpc.StatusCode.FAILED_PRECONDITION, "OPTION_UNAVAILABLE")
    service.failing_calls = ("Search",)
    page = await client.get(f"/?image_id={service.images[0].image_id}&verify=true")
    assert page.status_code == 422
    assert f'src="/images/{service.images[0].image_id}"' in page.text
    assert re.search(r'id="refine-verify".*\n.*checked', page.text)


@pytest.mark.parametrize("address", ["/", "/?image_id={}"])
async def test_localisation_can_be_chosen_only_where_the_index_allows_it(
    client: httpx.AsyncClient, service: FakeService, address: str
) -> None:
    barred = re.compile(r'name="localize"[^>]* disabled>')
    address = address.format(service.images[0].image_id)
    assert not barred.search((await client.get(address)).text)
    service.localization, service.version = False, "000002"
    page = (await client.get(address)).text
    assert len(barred.findall(page)) == page.count('name="localize"') > 0
    assert "indexed without convolutional maps" in page


@pytest.mark.parametrize("address", ["/", "/?image_id={}"])
async def test_verification_can_be_chosen_only_where_the_index_allows_it(
    client: httpx.AsyncClient, service: FakeService, address: str
) -> None:
    barred = re.compile(r'type="checkbox" name="verify"[^>]* disabled>')
    address = address.format(service.images[0].image_id)
    page = (await client.get(address)).text
    assert not barred.search(page)
    assert "The same object or place first" in page
    service.local_features, service.version = False, "000002"
    page = (await client.get(address)).text
    assert len(barred.findall(page)) == page.count('name="verify"') > 0
    assert "indexed without local features" in page
    assert "Compares details and their geometry" not in page


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "A part of this photo is damaged."), ("ja", "この写真は一部が壊れています。")],
)
async def test_a_damaged_photo_is_called_so_wherever_it_is_shown(
    client: httpx.AsyncClient, service: FakeService, language: str, sentence: str
) -> None:
    whole, damaged, *_ = (image.image_id for image in service.images)
    headers = {"Accept-Language": language}

    async def times(address: str) -> int:
        return (await client.get(address, headers=headers)).text.count(sentence)

    async def times_uploaded() -> int:
        return (await client.post("/", files=PHOTO, headers=headers)).text.count(sentence)

    assert (await times("/"), await times(f"/?image_id={whole}"), await times_uploaded()) == (0, 0, 0)
    service.images[1].damaged = True
    assert await times("/") == 1, "among the samples"
    assert await times(f"/?image_id={whole}") == 1, "as a result"
    assert await times(f"/?image_id={damaged}") == 1, "as the query"
    assert await times(f"/?image_ids={whole}&image_ids={damaged}") == 1, "as one of several"
    service.images[1].damaged, service.is_upload_damaged = False, True
    assert await times_uploaded() == 1


async def test_verification_is_on_where_it_can_be_until_it_is_turned_off(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image_id = service.images[0].image_id
    box = re.compile(r'type="checkbox" name="verify" value="true"[^>]*>')
    page = (await client.get("/", params={"image_id": image_id})).text
    assert all(" checked" in found for found in box.findall(page))
    assert not service.searches[-1].HasField("verify")
    # The form says both where the box is ticked, and only the first where it is not.
    for values, expected in ((["false", "true"], True), (["false"], False)):
        page = (await client.get("/", params={"image_id": image_id, "verify": values})).text
        assert service.searches[-1].verify is expected
        assert service.searches[-1].HasField("verify")
        assert all((" checked" in found) is expected for found in box.findall(page))
