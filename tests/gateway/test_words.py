"""Words as a query: in a form, in JSON, in a link, and on the page."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.gateway.fake_service import FakeService
from tests.gateway.searching import PHOTO, in_base64, problem


@pytest.fixture(autouse=True)
def _knows_words(service: FakeService) -> None:
    service.text = True


async def test_words_alone_are_searched_for_by_every_form(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    asked = [
        await client.post("/search", json={"text": "a red bicycle"}),
        await client.post("/search", data={"text": " a red bicycle "}, files={"image": ("", b"")}),
        await client.get("/", params={"text": "a red bicycle"}),
        await client.post("/", data={"text": "a red bicycle"}, files={"image": ("", b"")}),
    ]
    assert [answer.status_code for answer in asked] == [200] * 4
    assert [search.text for search in service.searches] == ["a red bicycle"] * 4
    assert {search.WhichOneof("query") for search in service.searches} == {None}
    assert asked[0].json()["query"] is None
    assert len(asked[0].json()["results"]) == 5


async def test_words_go_with_photos(client: httpx.AsyncClient, service: FakeService) -> None:
    first, second = service.images[0].image_id, service.images[1].image_id
    one = await client.post("/search", json={"text": "at night", "image_id": first})
    several = await client.post("/search", json={"text": "at night", "image_ids": [first, second]})
    away = await client.post("/search", json={"text": "at night", "not_image_ids": [first]})
    upload = await client.post("/search", json={"text": "at night", "image": in_base64(PHOTO)})
    assert [answer.status_code for answer in (one, several, away, upload)] == [200] * 4
    queries = [search.WhichOneof("query") for search in service.searches]
    assert queries == ["image_id", "photos", "photos", "image"]
    assert [photo.image_id for photo in service.searches[2].photos.negatives] == [first]
    assert not service.searches[2].photos.positives


async def test_words_of_any_script_up_to_a_thousand_characters(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    for text in ("夕日" * 500, "🦊", "naïve “quotes” & <tags>"):
        for answer in (
            await client.post("/search", json={"text": text}),
            await client.post("/search", data={"text": text}, files={"image": ("", b"")}),
        ):
            assert answer.status_code == 200
            assert service.searches[-1].text == text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, "INVALID_OPTION"),
        ({"text": "x" * 1_001}, "INVALID_OPTION"),
        ({"text": 7}, "INVALID_OPTION"),
        (
            {"text": "red", "region": {"x": 0, "y": 0, "width": 0.5, "height": 0.5}},
            "REGION_OF_SEVERAL",
        ),
    ],
)
async def test_words_that_will_not_do_are_refused(
    client: httpx.AsyncClient, service: FakeService, body: dict[str, object], code: str
) -> None:
    assert problem(await client.post("/search", json=body)) == (422, code)
    assert not service.searches


async def test_blank_words_are_no_query(client: httpx.AsyncClient) -> None:
    blank = await client.post("/search", data={"text": "  "}, files={"image": ("", b"")})
    assert problem(blank) == (400, "NOT_ONE_QUERY")
    assert 'id="summary"' not in (await client.get("/", params={"text": "  "})).text


async def test_a_collection_without_words_says_so(client: httpx.AsyncClient, service: FakeService) -> None:
    service.text = False
    refused = await client.post("/search", json={"text": "red"})
    assert problem(refused) == (422, "TEXT_UNAVAILABLE")
    page = await client.get("/", params={"text": "red"})
    assert page.status_code == 422
    assert "This collection does not know words" in page.text
    assert 'name="text"' not in (await client.get("/")).text
    assert 'name="text"' not in (await client.get("/", params={"image_id": service.images[0].image_id})).text


async def test_the_page_takes_words_and_keeps_them(client: httpx.AsyncClient, service: FakeService) -> None:
    assert 'name="text"' in (await client.get("/")).text
    page = (await client.get("/", params={"text": 'red "& <b>'})).text
    assert 'value="red &#34;&amp; &lt;b&gt;"' in page
    assert "Results</h2>" in page
    assert re.search(r'rel="canonical" href="/\?text=red\+%22%26\+%3Cb%3E"', page)
    first = service.images[0].image_id
    assert f'href="/?image_id={first}"' in page  # a result is searched with alone
    assert f'href="/?image_id={first}&amp;text=red+%22%26+%3Cb%3E"' in page  # or added to the words


async def test_a_photo_added_to_words_may_be_taken_away_again(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    first = service.images[0].image_id
    page = (await client.get("/", params={"text": "red", "image_id": first})).text
    assert 'href="/?text=red"' in page
    assert f'href="/?not_image_ids={first}&amp;text=red"' in page


async def test_the_index_says_whether_it_knows_words(client: httpx.AsyncClient, service: FakeService) -> None:
    assert (await client.get("/index")).json()["text"] is True
