"""The part of a result that answers the query best: marked, and one click from being the query."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site

pytestmark = IN_BROWSER

PART = search_pb2.Region(x=0.25, y=0.5, width=0.5, height=0.25)


async def test_the_located_part_is_marked_where_it_lies_in_the_photo(page: Page, site: Site) -> None:
    """Within some pixels, for the line has a width. Also of a photo that its frame cuts off at the sides."""
    site.service.located = PART
    panorama = site.service.images[2]
    panorama.width, panorama.height = 1_600, 320
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}&localize=true")
    await expect(page.locator("#results li[data-photo]")).to_have_count(23)
    for number, shown_share in ((0, 1), (1, 2.6 * 320 / 1_600)):
        result = page.locator("#results li[data-photo]").nth(number)
        photo = await result.locator(".photo").bounding_box()
        mark = await result.locator("rect").bounding_box()
        assert photo and mark
        width = photo["width"] / shown_share
        left = photo["x"] - (width - photo["width"]) / 2
        assert mark["x"] == pytest.approx(left + width / 4, abs=6)
        assert mark["width"] == pytest.approx(width / 2, abs=12)
        assert mark["y"] == pytest.approx(photo["y"] + photo["height"] / 2, abs=6)
        assert mark["height"] == pytest.approx(photo["height"] / 4, abs=12)


@pytest.mark.parametrize("scripted", [True, False])
async def test_zooming_in_searches_with_that_part_of_that_photo(
    open_page: OpenPage, site: Site, scripted: bool
) -> None:
    site.service.located = PART
    first, second = site.service.images[:2]
    start = f"/?image_id={first.image_id}&localize=true"
    async with open_page(start, java_script_enabled=scripted) as page:
        zoom = page.get_by_role("link", name=f"Search with the marked part of {second.paths[0]}")
        await zoom.click()
        await expect(page).to_have_url(
            f"{site.url}/?image_id={second.image_id}&localize=true&region=0.25,0.5,0.5,0.25"
        )
        await expect(page.locator("#results li[data-photo]")).to_have_count(23)
        assert await page.locator("#refine-localize").is_checked()
    request = site.service.searches[-1]
    assert (request.image_id, request.region, request.localize) == (second.image_id, PART, True)


async def test_an_uploaded_query_is_looked_for_in_each_result_once_the_option_is_set(
    page: Page, site: Site
) -> None:
    site.service.located = PART
    await page.locator(".upload summary").click()
    await page.get_by_label("Find it in each result").first.check()
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect(page.locator("#results li[data-photo]")).to_have_count(24)
    assert site.service.searches[-1].localize
    await expect(page.locator("#results li[data-photo]").first).to_contain_text(
        "The marked part is most like the query."
    )
    await page.locator("#results .zoom").first.click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(23)
    assert site.service.searches[-1].region == PART


async def test_a_match_and_a_located_part_have_each_a_control_of_their_own(page: Page, site: Site) -> None:
    site.service.located = PART
    corners = [search_pb2.Point(x=x, y=y) for x, y in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))]
    site.service.match = search_pb2.Match(inliers=23, quadrilateral=corners)
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}&localize=true&verify=true")
    first = page.locator("#results li[data-photo]").first
    match, zoom = [await first.locator(f".frame > .{name}").bounding_box() for name in ("match", "zoom")]
    assert match and zoom
    assert zoom["y"] >= match["y"] + match["height"]
    for control in (match, zoom):
        place = [control["x"] + control["width"] / 2, control["y"] + control["height"] / 2]
        hit = await page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('a').className", place)
        assert "control" in hit
