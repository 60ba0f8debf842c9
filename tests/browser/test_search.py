"""What people do on the page."""

from __future__ import annotations

import base64
import re

import grpc
import pytest
from playwright.async_api import Page, expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site
from tests.gateway.fake_service import Failure

pytestmark = IN_BROWSER

HAND_OVER = """
([kind, content, type]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "photo", { type }));
  const [event, field] = kind === "paste"
    ? [new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })]
    : [new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true })];
  document.body.dispatchEvent(event);
}
"""


async def hand_over(page: Page, kind: str, content: bytes, media_type: str = "image/png") -> None:
    """Pastes, drags over or drops a file."""
    await page.evaluate(HAND_OVER, [kind, base64.b64encode(content).decode(), media_type])


async def expect_results(page: Page, count: int) -> None:
    await expect(page.get_by_role("heading", name="Results")).to_be_visible()
    await expect(page.locator("#results li[data-photo]")).to_have_count(count)


async def test_choosing_a_file_searches_with_it(page: Page, site: Site) -> None:
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    await expect(page.get_by_role("heading", name="Query")).to_be_visible()
    assert site.service.searches[0].image.content == site.photo.read_bytes()
    await expect(page.locator("#results .score").first).to_have_text("99.9%")
    await expect(page.locator("#results .name").first).to_be_visible()
    await expect(page.locator("#status")).to_contain_text("24 results among 24 photos")
    await expect(page).to_have_url(site.url + "/")


async def test_a_verified_result_shows_the_outline_of_the_query_over_the_photo(
    page: Page, site: Site
) -> None:
    """Within some pixels, for the line has a width; where it reaches beyond the photo, it is cut off."""
    corners = [search_pb2.Point(x=x, y=y) for x, y in ((0.25, 0.5), (0.75, 0.5), (0.75, 1.5), (0.25, 1.5))]
    site.service.match = search_pb2.Match(inliers=23, quadrilateral=corners)
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    first = page.locator("#results li[data-photo]").first
    await expect(first).to_contain_text("23 points match the query.")
    photo = await first.locator("img").bounding_box()
    outline = await first.locator("polygon").bounding_box()
    frame = await first.locator("svg.outline").bounding_box()
    assert photo and outline and frame
    assert (frame["x"], frame["width"]) == pytest.approx((photo["x"], photo["width"]), abs=1)
    assert (frame["y"], frame["height"]) == pytest.approx((photo["y"], photo["height"]), abs=1)
    assert outline["x"] - photo["x"] == pytest.approx(photo["width"] / 4, abs=6)
    assert outline["y"] - photo["y"] == pytest.approx(photo["height"] / 2, abs=6)
    assert outline["width"] == pytest.approx(photo["width"] / 2, abs=12)
    look = "polygon => [getComputedStyle(polygon).stroke, getComputedStyle(polygon).fill]"
    assert await first.locator("polygon").evaluate(look) == ["rgb(255, 255, 255)", "none"]
    overflow = "svg => getComputedStyle(svg).overflow"
    assert await first.locator("svg.outline").evaluate(overflow) == "hidden"


async def test_the_chosen_photo_is_shown_before_the_answer(page: Page, site: Site) -> None:
    site.service.delay_s = 1.5
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect(page.locator(".query-image")).to_have_js_property("naturalWidth", 320)
    await expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    await expect(page.locator("#status")).to_have_text("Searching…")
    assert await page.locator("#results li[data-photo]").count() == 0
    await expect_results(page, 24)
    await expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")


async def test_pasting_a_photo_searches_with_it(page: Page, site: Site) -> None:
    await hand_over(page, "paste", site.photo.read_bytes())
    await expect_results(page, 24)
    assert site.service.searches[0].image.content == site.photo.read_bytes()


async def test_dropping_a_photo_anywhere_searches_with_it(page: Page, site: Site) -> None:
    await hand_over(page, "dragover", site.photo.read_bytes())
    await expect(page.locator("body")).to_have_class(re.compile("dropping"))
    await hand_over(page, "drop", site.photo.read_bytes())
    await expect_results(page, 24)
    await expect(page.locator("body")).not_to_have_class(re.compile("dropping"))


async def test_a_result_is_the_next_query_and_back_returns(page: Page, site: Site) -> None:
    first, second = site.service.images[:2]
    await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
    await expect(page).to_have_url(f"{site.url}/?image_id={first.image_id}")
    await expect_results(page, 23)
    await page.get_by_role("link", name="Search with set/1.jpg", exact=True).click()
    await expect(page).to_have_url(f"{site.url}/?image_id={second.image_id}")
    await expect(page.locator(".query-image")).to_have_attribute("src", f"/images/{second.image_id}")
    assert await page.evaluate("document.activeElement.id") == "results-heading"
    asked = len(site.service.searches)
    await page.go_back()
    await expect(page.locator(".query-image")).to_have_attribute("src", f"/images/{first.image_id}")
    await page.go_back()
    await expect(page.get_by_text("Or start from one of these")).to_be_visible()
    await page.go_forward()
    await expect_results(page, 23)
    assert len(site.service.searches) == asked


async def test_back_returns_to_an_upload_with_which_it_can_go_on(page: Page, site: Site) -> None:
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    await page.get_by_role("link", name="Search with set/1.jpg", exact=True).click()
    await expect_results(page, 23)
    await page.go_back()
    await expect_results(page, 24)
    await expect(page.locator(".query-image")).to_have_js_property("complete", True)
    await page.get_by_text("Options", exact=True).locator("visible=true").click()
    await page.get_by_label("Number of results").locator("visible=true").fill("5")
    await page.get_by_role("button", name="Search again").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    assert site.service.searches[-1].image.content == site.photo.read_bytes()
    assert site.service.searches[-1].limit == 5


async def test_the_address_alone_brings_a_search_back(open_page: OpenPage, site: Site) -> None:
    image = site.service.images[3]
    async with open_page(f"/?image_id={image.image_id}&region=0.1,0.2,0.3,0.4&limit=7") as page:
        await expect_results(page, 7)
        box = page.get_by_role("application")
        await expect(box).to_have_accessible_name(
            "Selected part: 10% from the left, 20% from the top, 30% wide, 40% high"
        )
    assert site.service.searches[0].region.height == 0.4


async def test_options_apply_to_the_query_shown_and_stand_in_the_address(page: Page, site: Site) -> None:
    site.service.approximate = True
    await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
    await expect_results(page, 23)
    await page.locator(".query summary").click()
    await page.get_by_label("Number of results").locator("visible=true").fill("4")
    await page.get_by_label("Compare with every photo").locator("visible=true").check()
    await page.get_by_role("button", name="Search again").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(4)
    image_id = site.service.images[0].image_id
    await expect(page).to_have_url(f"{site.url}/?image_id={image_id}&limit=4&exact=true")
    assert site.service.searches[-1].exact


async def test_a_newer_search_replaces_one_under_way(page: Page, site: Site) -> None:
    site.service.delay_s = 1.0
    await hand_over(page, "paste", site.photo.read_bytes())
    await expect(page.locator("#pending")).to_have_count(1)
    while not site.service.searches:
        await page.wait_for_timeout(20)
    site.service.delay_s = 0
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    await page.wait_for_timeout(1200)
    await expect_results(page, 24)
    assert site.service.cancelled == 1


async def test_what_is_no_photo_is_refused_in_words(page: Page, site: Site) -> None:
    site.service.failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, "UNSUPPORTED_IMAGE_TYPE")
    site.service.failing_calls = ("Search",)
    await hand_over(page, "paste", b"Dear diary", "text/plain")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("Not a photo of a known type")
    await expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
    site.service.failure = None
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    await expect(alert).to_have_count(0)


async def test_a_photo_over_the_limit_is_not_even_sent(page: Page, site: Site) -> None:
    await hand_over(page, "paste", bytes(1_000_001))
    await expect(page.get_by_role("alert")).to_contain_text("larger than 0.9537 MB")
    assert site.service.searches == []


async def test_an_option_that_cannot_be_had_leaves_the_query_in_place(page: Page, site: Site) -> None:
    await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
    await expect_results(page, 23)
    site.service.failure = Failure(grpc.StatusCode.FAILED_PRECONDITION, "OPTION_UNAVAILABLE")
    site.service.failing_calls = ("Search",)
    await page.locator(".query summary").click()
    await page.get_by_label("Find it in each result").locator("visible=true").check()
    await page.get_by_role("button", name="Search again").click()
    await expect(page.get_by_role("alert")).to_contain_text("Option not available")
    site.service.failure = None
    await page.get_by_label("Find it in each result").locator("visible=true").uncheck()
    await page.get_by_role("button", name="Search again").click()
    await expect_results(page, 23)


async def test_no_answer_is_said(page: Page, site: Site) -> None:
    await page.context.set_offline(True)
    await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")


async def test_a_result_explains_itself_on_hover_and_on_focus(page: Page, site: Site) -> None:
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    link = page.get_by_role("link", name="Search with set/0.jpg", exact=True)
    words = "99.9% of random image pairs of this collection are further apart."
    await expect(link).to_have_accessible_description(re.compile(re.escape(words)))
    about = page.locator("#about-1")
    await expect(about).to_have_css("opacity", "0")
    await link.hover()
    await expect(about).to_have_css("opacity", "1")
    await page.mouse.move(0, 0)
    await expect(about).to_have_css("opacity", "0")
    await page.locator("#results-heading").focus()
    for _ in range(5):  # past what narrows and sorts
        await page.keyboard.press("Tab")
        if await link.evaluate("link => link === document.activeElement"):
            break
    await expect(link).to_be_focused()
    await expect(about).to_have_css("opacity", "1")


async def test_a_reload_searches_with_the_upload_again(page: Page, site: Site) -> None:
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_results(page, 24)
    await page.locator(".query summary").click()
    await page.get_by_label("Number of results").locator("visible=true").fill("5")
    await page.get_by_role("button", name="Search again").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    await page.reload()
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    assert site.service.searches[-1].image.content == site.photo.read_bytes()
    await page.get_by_role("link", name="Simple Image Search Engine").click()
    await expect(page.locator(".samples")).to_be_visible()
    searches = len(site.service.searches)
    await page.reload()
    await expect(page.locator(".samples")).to_be_visible()
    assert len(site.service.searches) == searches
