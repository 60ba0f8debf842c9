from __future__ import annotations

import httpx

from tests.gateway.fake_service import FakeService

HTML = {"Accept": "text/html,*/*;q=0.8"}


async def test_groups_come_as_json_with_the_one_to_keep(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    response = await client.get("/duplicates")
    assert "Accept" in response.headers["vary"]
    answer = response.json()
    assert (answer["kind"], answer["total"], answer["next_offset"]) == ("altered", 2, None)
    first = answer["groups"][0]["images"][0]
    image = service.images[0]
    assert first == {
        "image_id": image.image_id,
        "path": "set/0.jpg",
        "paths": ["set/0.jpg"],
        "url": f"/images/{image.image_id}",
        "thumbnail_url": f"/thumbnails/{image.image_id}",
        "width": 640,
        "height": 480,
        "bytes": image.size_bytes,
        "taken_at": None,
        "keep": True,
    }
    assert [each["keep"] for each in answer["groups"][0]["images"]] == [True, False]


async def test_pages_of_a_kind_lead_on(client: httpx.AsyncClient, service: FakeService) -> None:
    first = (await client.get("/duplicates?kind=similar&limit=1")).json()
    assert (first["kind"], first["next_offset"], len(first["groups"])) == ("similar", 1, 1)
    last = (await client.get("/duplicates?kind=similar&limit=1&offset=1")).json()
    assert last["next_offset"] is None
    assert last["groups"] != first["groups"]


async def test_a_browser_gets_a_page_in_its_language(client: httpx.AsyncClient, service: FakeService) -> None:
    page = await client.get("/duplicates?kind=altered&limit=1", headers=HTML)
    assert page.headers["content-type"].startswith("text/html")
    assert '<b dir="auto">set/0.jpg</b>' in page.text
    assert page.text.count("Suggested to keep") == 1
    assert 'data-copy="set/1.jpg" data-copied="Copied">Copy the paths of the others' in page.text
    assert 'href="/duplicates?kind=similar"' in page.text
    assert 'href="/duplicates?kind=altered&amp;limit=1&amp;offset=1" rel="next"' in page.text
    japanese = await client.get("/duplicates", headers={**HTML, "Accept-Language": "ja"})
    assert "重複した写真" in japanese.text


async def test_a_collection_without_duplicates_says_so(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.images.clear()
    assert (await client.get("/duplicates")).json()["groups"] == []
    assert "None were found." in (await client.get("/duplicates", headers=HTML)).text


async def test_an_unknown_kind_is_refused(client: httpx.AsyncClient, service: FakeService) -> None:
    answer = await client.get("/duplicates?kind=alike")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.calls == []


async def test_the_start_leads_to_the_duplicates(client: httpx.AsyncClient, service: FakeService) -> None:
    assert 'href="/duplicates"' in (await client.get("/")).text
