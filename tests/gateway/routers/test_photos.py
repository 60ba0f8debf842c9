from __future__ import annotations

import httpx

from tests.gateway.fake_service import FakeService

PAGE = {"accept": "text/html"}


async def test_a_photo_is_shown_with_all_that_is_known_of_it(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image = service.images[1]
    image.paths[:] = ["2019/summer & sea/1.jpg", "copies/<1>.jpg"]
    image.taken_at, image.size_bytes = "2019-07-14T18:03:22", 345_001
    page = (await client.get(f"/photo/{image.image_id}", headers=PAGE)).text
    for words in (
        f'src="/images/{image.image_id}"',
        "2019-07-14 18:03",
        "640 × 480 pixels · 346 kB",
        "copies/&lt;1&gt;.jpg",
        'href="/folder?folder=2019/summer%20%26%20sea"',
        f'href="/?image_id={image.image_id}"',
    ):
        assert words in page


async def test_a_photo_larger_than_a_screen_is_shown_smaller(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    image = service.images[1]
    image.width = 4_000
    page = (await client.get(f"/photo/{image.image_id}", headers=PAGE)).text
    assert f'src="/thumbnails/{image.image_id}?size=1600"' in page
    assert f'href="/images/{image.image_id}"' in page


async def test_an_unknown_photo_and_an_unknown_folder_are_said_to_be_so(client: httpx.AsyncClient) -> None:
    for address, words in ((f"/photo/{'0' * 32}", "Photo not found"), ("/folder?folder=x", "No photos in")):
        page = await client.get(address, headers=PAGE)
        assert page.status_code == 404
        assert words in page.text


async def test_the_photos_of_a_folder_go_on_over_pages(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.images.extend([service.images[0]] * 100)
    first = (await client.get("/folder?folder=set", headers=PAGE)).text
    assert first.count("<li class") == 100
    assert 'href="/folder?folder=set&amp;after=100"' in first
    rest = (await client.get("/folder?folder=set&after=100", headers=PAGE)).text
    assert rest.count("<li class") == 5
    assert "after=" not in rest


async def test_folders_and_refused_files_are_pages_for_people(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.images[0].paths[:] = ["set/the sea/0.jpg"]
    folders = (await client.get("/folders", headers=PAGE)).text
    assert 'href="/folder?folder=set/the%20sea"' in folders
    assert "1 photo<" in folders
    service.left_out = {"hidden folder": 1_200, "@eaDir": 3}
    for language, *words in (
        ("en", "Damaged: 1", "hidden folder: 1,200", "@eaDir: 3"),
        ("ja", "壊れた写真: 1", "隠しフォルダー: 1,200", "@eaDir: 3"),
    ):
        refused = (await client.get("/refused", headers=PAGE | {"accept-language": language})).text
        assert [each for each in words if each not in refused] == []
        assert "bad.jpg" in refused
