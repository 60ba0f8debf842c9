"""What the page says of results: how alike they are, where they match, and what narrows them down."""

from __future__ import annotations

import re

import grpc
import httpx
import pytest

from protos.imagesearch.v1 import search_pb2
from tests.gateway.fake_service import Failure, FakeService

PHOTO = {"image": ("a.jpg", b"photo")}


async def test_a_match_is_shown_on_both_photos_when_asked_for(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    first, second, third = (image.image_id for image in service.images[:3])
    service.match = search_pb2.Match(
        inliers=1,
        quadrilateral=[search_pb2.Point(x=0.25, y=0.5)] * 4,
        query_points=[search_pb2.Point(x=0.5, y=0.5)],
        result_points=[search_pb2.Point(x=0, y=0)],
    )
    page = await client.get(f"/?image_id={first}")
    assert f'href="/?image_id={first}&amp;match={third}#match"' in page.text
    assert not service.searches[0].points
    assert 'id="match"' not in page.text
    page = await client.get(f"/?image_id={first}&match={third}")
    assert service.searches[1].points
    assert "Match with set/2.jpg" in page.text
    for image_id in (first, third):
        assert f'<image href="/images/{image_id}"' in page.text
    assert 'd="M320.0 240.0L656.0 0.0"' in page.text
    assert f'<link rel="canonical" href="/?image_id={first}&amp;match={third}">' in page.text
    for unmatched in (first, "0" * 32, "x"):
        page = await client.get(f"/?image_id={second}&match={unmatched}&limit=1")
        assert page.status_code == 200
        assert ('id="match"' in page.text) == (unmatched == first)


async def test_the_match_with_one_of_several_photos_is_shown_with_that_one(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    a, b, c = (image.image_id for image in service.images[:3])
    service.match = search_pb2.Match(inliers=1, photo=1)
    page = await client.get(f"/?image_ids={a}&image_ids={b}&match={c}")
    assert f'<image href="/images/{b}"' in page.text
    assert f'<image href="/images/{a}"' not in page.text


async def test_the_match_of_an_upload_is_shown_too(client: httpx.AsyncClient, service: FakeService) -> None:
    service.match = search_pb2.Match(inliers=1)
    image_id = service.images[0].image_id
    page = await client.post(f"/?match={image_id}", files=PHOTO, data={"verify": "true"})
    assert '<image href="data:image/webp;base64,' in page.text
    assert 'data-address="/"' in page.text  # the way back


async def test_a_verified_result_shows_where_the_query_was_found(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.match = search_pb2.Match(inliers=1, quadrilateral=[search_pb2.Point(x=0.25, y=0.5)] * 4)
    page = await client.post("/", files=PHOTO)
    assert '<polygon points="0.25,0.5 0.25,0.5' in page.text
    assert "1 point matches the query." in page.text


async def test_a_located_part_is_marked_and_can_be_zoomed_in_on(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.located = search_pb2.Region(x=0.25, y=0.5, width=0.5, height=1 / 3)
    address = f"/?image_id={service.images[0].image_id}&localize=true&limit=2&region=0,0,0.5,0.5"
    page = await client.get(address)
    assert service.searches[-1].localize
    assert '<rect x="160.0" y="240.0" width="320.0" height="160.0"/>' in page.text
    assert "The marked part is most like the query." in page.text
    hit = service.images[1].image_id
    zoomed = f"/?image_id={hit}&amp;limit=2&amp;localize=true&amp;region=0.25,0.5,0.5,0.333333"
    assert f'class="control zoom" href="{zoomed}"' in page.text
    assert (await client.get(zoomed.replace("&amp;", "&"))).status_code == 200
    request = service.searches[-1]
    assert (request.image_id, request.region.x, request.region.y) == (hit, 0.25, 0.5)
    assert request.region.height == pytest.approx(1 / 3, abs=1e-5)


@pytest.mark.parametrize("located", [None, search_pb2.Region(x=0, y=0, width=1, height=1)])
async def test_without_a_part_of_the_photo_nothing_is_marked(
    client: httpx.AsyncClient, service: FakeService, located: search_pb2.Region | None
) -> None:
    service.located = located
    page = await client.get(f"/?image_id={service.images[0].image_id}&localize=true")
    assert 'class="located"' not in page.text and "control zoom" not in page.text


async def test_results_stand_in_sections_by_how_alike_they_are(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.likeness = ("same", "identical", "alike", "related", "weak")
    page = (await client.post("/", files=PHOTO)).text
    marks = [
        ">The same</h3>",
        "set/0.jpg",
        "set/1.jpg",
        ">Alike</h3>",
        "set/2.jpg",
        ">Related</h3>",
        "set/3.jpg",
    ]
    marks += ["<details", ">Show less similar ones</summary>", "set/4.jpg"]
    results = page[page.index(">Results</h2>") :]
    places = [results.index(mark) for mark in marks]
    assert places == sorted(places)
    assert ">Identical</span>" in results
    assert "Nothing alike was found." not in results
    assert (
        len(re.findall(r'id="about-\d+"', results)) == len(set(re.findall(r'id="about-\d+"', results))) == 5
    )


async def test_a_search_that_finds_nothing_alike_says_so_first(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.likeness = ("weak",)
    page = (await client.post("/", files=PHOTO)).text
    assert page.index("Nothing alike was found.") < page.index(">Show less similar ones</summary>")
    japanese = (await client.post("/", files=PHOTO, headers={"Accept-Language": "ja"})).text
    assert "似た写真は見つかりませんでした。" in japanese


async def test_results_go_on_and_back_by_links(client: httpx.AsyncClient, service: FakeService) -> None:
    own = f"/?image_id={service.images[0].image_id}&amp;limit=2"
    first = await client.get(own.replace("&amp;", "&"))
    assert f'href="{own}&amp;offset=2" data-do="show-more">Show more</a>' in first.text
    assert "Earlier results" not in first.text
    last = await client.get(f"{own}&offset=2".replace("&amp;", "&"))
    assert "results 3 to 4 among 5 photos" in last.text
    assert f'href="{own}">Earlier results</a>' in last.text
    assert "Show more" not in last.text
    assert f'<link rel="canonical" href="{own}&amp;offset=2">' in last.text
    assert 'id="about-3"' in last.text and 'id="about-1"' not in last.text
    beyond = await client.get(f"{own}&offset=900".replace("&amp;", "&"))
    assert "There are no further results." in beyond.text


async def test_from_a_later_page_other_searches_begin_with_their_first_results(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    page = await client.get(f"/?image_id={service.images[0].image_id}&limit=2&offset=2")
    links = re.findall(r'class="(?:photo|control more)" href="([^"]+)"', page.text)
    assert len(links) == 4
    assert not any("offset" in link for link in links)


async def test_each_filter_that_is_on_is_shown_and_can_be_taken_away(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    own = f"/?image_id={service.images[0].image_id}"
    filters = {"folder": "2019/Summer", "taken_from": "2019-07-01", "taken_to": "2019-07-31"}
    page = await client.get(f"{own}&offset=2", params=dict(httpx.URL(own).params) | filters)
    request = service.searches[0]
    assert {name: getattr(request, name) for name in filters} == filters
    chips = re.findall(r'class="chip" href="([^"]+)"[^>]*>([^<]+)', page.text)
    assert [text for _, text in chips] == [
        "In 2019/Summer",
        "Taken since 2019-07-01",
        "Taken up to 2019-07-31",
    ]
    for (address, _), name in zip(chips, filters, strict=True):
        kept = dict(httpx.URL(address.replace("&amp;", "&")).params)
        assert kept == {"image_id": service.images[0].image_id} | {
            each: value for each, value in filters.items() if each != name
        }
    for name, value in filters.items():
        assert re.search(rf'name="{name}"[^>]* value="{value}"', page.text)


async def test_without_filters_there_are_no_chips(client: httpx.AsyncClient, service: FakeService) -> None:
    page = await client.get(f"/?image_id={service.images[0].image_id}&folder=&taken_from=&taken_to=")
    assert 'class="chip' not in page.text


async def test_a_folder_without_photos_says_so_beside_the_query(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.failure = Failure(grpc.StatusCode.NOT_FOUND, "UNKNOWN_FOLDER")
    service.failing_calls = ("Search",)
    page = await client.get(f"/?image_id={service.images[0].image_id}&folder=nowhere")
    assert page.status_code == 404
    assert "No photos in this folder" in page.text
    assert 'value="nowhere"' in page.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Taken on 2019-07-14 at 18:03.", "Also at a/1.jpg, b/2.jpg."]),
        ("ja", ["撮影 2019-07-14 18:03", "ほかの場所：a/1.jpg, b/2.jpg"]),
    ],
)
async def test_a_result_tells_when_it_was_taken_and_where_else_it_is(
    client: httpx.AsyncClient, service: FakeService, language: str, words: list[str]
) -> None:
    service.images[0].taken_at = "2019-07-14T18:03:22"
    service.images[0].paths.extend(["a/1.jpg", "b/2.jpg"])
    page = await client.post("/", files=PHOTO, headers={"Accept-Language": language})
    for sentence in words:
        assert page.text.count(sentence) == 1


async def test_an_upload_that_is_in_the_collection_says_where(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.indexed_upload = service.images[0].image_id
    page = await client.post("/", files=PHOTO)
    assert "This very file is in the collection: set/0.jpg</a>" in page.text
    service.indexed_upload = ""
    assert "This very file" not in (await client.post("/", files=PHOTO)).text
