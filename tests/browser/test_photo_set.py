"""Several photos in a query: results added and taken out, uploads beside indexed photos, a match shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site, picture

pytestmark = IN_BROWSER


@pytest.fixture
def second_photo(tmp_path: Path) -> Path:
    photo = tmp_path / "second.png"
    photo.write_bytes(picture(98, "PNG"))
    return photo


async def expect_set(page: Page, like: list[str], unlike: list[str]) -> None:
    for name, photos in (("Like these", like), ("Not like these", unlike)):
        group = page.get_by_role("list", name=name, exact=True)
        await expect(group.get_by_role("img")).to_have_count(len(photos))
        for place, photo in enumerate(photos):
            await expect(group.get_by_role("img").nth(place)).to_have_attribute("alt", photo)
    await expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")


def asked_for(site: Site) -> tuple[list[str | bytes], list[str | bytes]]:
    """What the last search wanted and did not want: ids, and the bytes of files."""
    photos = site.service.searches[-1].photos
    return (
        [photo.image_id or photo.image.content for photo in photos.positives],
        [photo.image_id or photo.image.content for photo in photos.negatives],
    )


@pytest.mark.parametrize("with_script", [True, False])
async def test_results_are_added_turned_and_removed(
    open_page: OpenPage, site: Site, with_script: bool
) -> None:
    a, b, c = (image.image_id for image in site.service.images[:3])
    async with open_page(f"/?image_id={a}", java_script_enabled=with_script) as page:
        await page.get_by_role("link", name="More like set/1.jpg").click()
        await expect_set(page, ["set/0.jpg", "set/1.jpg"], [])
        await page.get_by_role("link", name="Less like set/2.jpg").click()
        await expect_set(page, ["set/0.jpg", "set/1.jpg"], ["set/2.jpg"])
        await expect(page).to_have_url(f"{site.url}/?image_ids={a}&image_ids={b}&not_image_ids={c}")
        assert asked_for(site) == ([a, b], [c])

        await page.get_by_role("link", name="Less like set/0.jpg").click()
        await expect_set(page, ["set/1.jpg"], ["set/0.jpg", "set/2.jpg"])
        await page.get_by_role("link", name="Remove set/2.jpg from the query").click()
        await expect_set(page, ["set/1.jpg"], ["set/0.jpg"])
        await page.get_by_role("link", name="Remove set/0.jpg from the query").click()
        await expect(page.locator(".query-image")).to_have_attribute("alt", "set/1.jpg")
        await expect(page).to_have_url(f"{site.url}/?image_id={b}")
        await page.go_back()
        await expect_set(page, ["set/1.jpg"], ["set/0.jpg"])


async def test_options_apply_to_the_whole_set_and_stay_with_it(page: Page, site: Site) -> None:
    a, b, c = (image.image_id for image in site.service.images[:3])
    await page.goto(f"{site.url}/?image_ids={a}&image_ids={b}")
    await page.locator(".query summary").click()
    await page.locator("#refine-limit").fill("4")
    await page.get_by_role("button", name="Search again").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(4)
    assert asked_for(site) == ([a, b], [])
    await expect(page.locator("#refine-limit")).to_be_visible()  # the options stay open
    await page.get_by_role("link", name="Remove set/0.jpg from the query").click()
    await expect(page).to_have_url(f"{site.url}/?image_id={b}&limit=4")


async def test_an_upload_goes_together_with_results(page: Page, site: Site) -> None:
    a, b = (image.image_id for image in site.service.images[:2])
    content = site.photo.read_bytes()
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await page.get_by_role("button", name="More like set/0.jpg", exact=True).click()
    await expect_set(page, ["The photo you chose", "set/0.jpg"], [])
    assert asked_for(site) == ([content, a], [])
    await page.get_by_role("button", name="Less like set/1.jpg", exact=True).click()
    await expect_set(page, ["The photo you chose", "set/0.jpg"], ["set/1.jpg"])
    await page.get_by_role("button", name="Less like The photo you chose").click()
    await expect_set(page, ["set/0.jpg"], ["The photo you chose", "set/1.jpg"])
    assert asked_for(site) == ([a], [content, b])
    await page.get_by_role("button", name="Remove The photo you chose from the query").click()
    await expect_set(page, ["set/0.jpg"], ["set/1.jpg"])
    await expect(page).to_have_url(f"{site.url}/?image_ids={a}&not_image_ids={b}")
    await page.go_back()
    await expect_set(page, ["set/0.jpg"], ["The photo you chose", "set/1.jpg"])
    await page.get_by_role("button", name="More like The photo you chose").click()
    await expect_set(page, ["The photo you chose", "set/0.jpg"], ["set/1.jpg"])


async def test_files_are_added_to_the_query_shown(page: Page, site: Site, second_photo: Path) -> None:
    first, second = site.photo.read_bytes(), second_photo.read_bytes()
    image_id = site.service.images[0].image_id
    await page.goto(f"{site.url}/?image_id={image_id}&region=0.1,0.1,0.5,0.5")
    await page.get_by_label("Add a photo").set_input_files(site.photo)
    await expect_set(page, ["The photo you chose", "set/0.jpg"], [])
    await page.get_by_label("Add a photo").set_input_files(second_photo)
    await expect_set(page, ["Photo 1 that you chose", "Photo 2 that you chose", "set/0.jpg"], [])
    assert asked_for(site) == ([first, second, image_id], [])
    await page.get_by_role("button", name="Remove Photo 1 that you chose").click()
    await expect_set(page, ["The photo you chose", "set/0.jpg"], [])
    assert asked_for(site) == ([second, image_id], [])


async def test_a_bad_file_leaves_the_query_as_it_was(page: Page, site: Site) -> None:
    a, b = (image.image_id for image in site.service.images[:2])
    await page.goto(f"{site.url}/?image_ids={a}&image_ids={b}")
    empty: FilePayload = {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""}
    await page.get_by_label("Add a photo").set_input_files(empty)
    await expect(page.get_by_role("alert")).to_contain_text("Empty file")
    await expect_set(page, ["set/0.jpg", "set/1.jpg"], [])
    large: FilePayload = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(1_000_001)}
    await page.get_by_label("Add a photo").set_input_files(large)
    await expect(page.get_by_role("alert")).to_contain_text("File too large")
    await page.get_by_label("Add a photo").set_input_files(site.photo)
    await expect_set(page, ["The photo you chose", "set/0.jpg", "set/1.jpg"], [])


async def test_files_dropped_together_are_one_query(page: Page, site: Site) -> None:
    await page.evaluate(
        """() => {
            const data = new DataTransfer();
            for (const name of ["a", "b"]) data.items.add(new File([name], name, { type: "image/png" }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: data }));
        }"""
    )
    await expect_set(page, ["Photo 1 that you chose", "Photo 2 that you chose"], [])
    assert asked_for(site) == ([b"a", b"b"], [])


async def test_signs_appear_with_the_pointer_and_the_keyboard(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}")
    signs = page.locator(".signs").first
    await expect(signs).to_have_css("opacity", "0")
    await page.locator(".frame").first.hover()
    await expect(signs).to_have_css("opacity", "1")
    await page.mouse.move(0, 0)
    await expect(signs).to_have_css("opacity", "0")
    await page.get_by_role("link", name="Search with set/1.jpg", exact=True).focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="More like set/1.jpg", exact=True)).to_be_focused()
    await expect(signs).to_have_css("opacity", "1")
    await page.keyboard.press("Enter")
    await expect_set(page, ["set/0.jpg", "set/1.jpg"], [])
    await expect(page.get_by_role("link", name="Search with set/1.jpg", exact=True)).to_be_focused()


async def test_signs_are_always_there_on_a_touch_screen(open_page: OpenPage, site: Site) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with open_page(f"/?image_id={site.service.images[0].image_id}", **options) as page:
        await expect(page.locator(".signs").first).to_have_css("opacity", "1")


def matched(site: Site) -> None:
    corners = [search_pb2.Point(x=x, y=y) for x, y in ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))]
    site.service.match = search_pb2.Match(
        inliers=4, quadrilateral=corners, query_points=corners, result_points=corners
    )


async def test_a_match_opens_above_the_results_and_closes(page: Page, site: Site) -> None:
    matched(site)
    a, b = (image.image_id for image in site.service.images[:2])
    await page.goto(f"{site.url}/?image_id={a}&verify=true")
    await page.get_by_role("link", name="Show where set/1.jpg matches").click()
    await expect(page.get_by_role("heading", name="Match with set/1.jpg")).to_be_focused()
    await expect(page).to_have_url(f"{site.url}/?image_id={a}&match={b}")
    drawing = page.get_by_role(
        "img", name="Lines join points of set/0.jpg with the same points of set/1.jpg."
    )
    await expect(drawing).to_have_count(1)  # the other one is for narrow screens
    await page.set_viewport_size({"width": 390, "height": 800})
    await expect(drawing).to_have_count(1)
    await page.get_by_role("link", name="Close the match").click()
    await expect(page.locator("#match")).to_have_count(0)
    await expect(page).to_have_url(f"{site.url}/?image_id={a}")


async def test_the_match_of_an_upload_is_shown_and_closed(page: Page, site: Site) -> None:
    matched(site)
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await page.get_by_role("button", name="Show where set/0.jpg matches").click()
    await expect(page.get_by_role("heading", name="Match with set/0.jpg")).to_be_focused()
    assert site.service.searches[-1].image.content == site.photo.read_bytes()
    assert site.service.searches[-1].points
    await page.get_by_role("button", name="Close the match").click()
    await expect(page.locator("#match")).to_have_count(0)
    assert not site.service.searches[-1].points
