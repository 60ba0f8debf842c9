"""Looking at photos without searching."""

from __future__ import annotations

from playwright.async_api import Page, expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site

pytestmark = IN_BROWSER

SWIPE = """([box, dx]) => {
  const touch = (x) => new Touch({ identifier: 1, target: box, clientX: x, clientY: 200 });
  const send = (kind, touches, changed) => box.dispatchEvent(
    new TouchEvent(kind, { touches, changedTouches: changed, bubbles: true }));
  send("touchstart", [touch(200)], [touch(200)]);
  send("touchend", [], [touch(200 + dx)]);
}"""


async def results(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}")


async def test_photos_are_looked_at_one_after_the_other_and_closing_leads_back(
    open_page: OpenPage, site: Site
) -> None:
    site.service.images[2].paths.append("copies/2.jpg")
    async with open_page(has_touch=True) as page:
        await results(page, site)
        address = page.url
        await page.get_by_role("link", name="Look at set/1.jpg", exact=True).click()
        box = page.get_by_role("dialog")
        await expect(box.get_by_role("heading", name="1.jpg")).to_be_visible()
        await expect(box.get_by_role("button", name="Previous photo")).to_be_hidden()
        await page.keyboard.press("ArrowRight")
        await expect(box.get_by_role("heading", name="2.jpg")).to_be_visible()
        await expect(box.locator(".path")).to_have_text(["set/2.jpg", "copies/2.jpg"])
        await page.evaluate(SWIPE, [await box.element_handle(), -90])
        await expect(box.get_by_role("heading", name="3.jpg")).to_be_visible()
        await page.evaluate(SWIPE, [await box.element_handle(), 90])
        await expect(box.get_by_role("heading", name="2.jpg")).to_be_visible()
        await expect(box.get_by_role("link", name="Open original")).to_have_attribute(
            "href", f"/images/{site.service.images[2].image_id}"
        )
        searches = len(site.service.searches)

        await page.keyboard.press("Escape")
        await expect(box).to_be_hidden()
        await expect(page.get_by_role("link", name="Look at set/2.jpg", exact=True)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(box).to_be_visible()
        await page.go_back()
        await expect(box).to_be_hidden()
        assert (page.url, len(site.service.searches)) == (address, searches)

        await page.get_by_role("link", name="Look at set/2.jpg", exact=True).click()
        await box.get_by_role("link", name="Search with this").click()
        await expect(page).to_have_url(f"{site.url}/?image_id={site.service.images[2].image_id}")
        await page.go_back()
        await expect(page).to_have_url(address)


async def test_a_path_is_copied_over_plain_http_too(page: Page, site: Site) -> None:
    await results(page, site)
    await page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject())")
    await page.get_by_role("link", name="Look at set/3.jpg", exact=True).click()
    await page.get_by_role("button", name="Copy the path set/3.jpg").click()
    await expect(page.locator("#status")).to_have_text("Copied")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('textarea'), {id: 'into'}))"
    )
    await page.locator("#into").focus()
    await page.keyboard.press("Control+V")
    await expect(page.locator("#into")).to_have_value("set/3.jpg")


async def test_the_query_lies_on_a_result_where_it_was_found(page: Page, site: Site) -> None:
    corners = [(0.25, 0.5), (0.75, 0.5), (0.75, 1), (0.25, 1)]
    quadrilateral = [search_pb2.Point(x=x, y=y) for x, y in corners]
    site.service.match = search_pb2.Match(inliers=9, quadrilateral=quadrilateral)
    await results(page, site)
    await page.get_by_role("link", name="Look at set/1.jpg", exact=True).click()
    await page.get_by_role("button", name="Compare with the query").click()
    result = await page.locator("#looking .large").bounding_box()
    query = await page.locator("#looking .over img").bounding_box()
    assert result is not None
    assert query is not None
    assert abs(query["x"] - result["x"] - result["width"] / 4) < 1
    assert abs(query["y"] - result["y"] - result["height"] / 2) < 1
    assert abs(query["width"] - result["width"] / 2) < 1
    slider = page.get_by_role("slider", name="How much of the query is shown")
    await expect(slider).to_be_focused()
    await slider.fill("20")
    await expect(page.locator("#looking .over")).to_have_css("clip-path", "inset(0px 80% 0px 0px)")
    await page.keyboard.press("c")
    await expect(slider).to_be_hidden()


async def test_a_photo_is_a_page_without_scripts(open_page: OpenPage, site: Site) -> None:
    async with open_page(java_script_enabled=False) as page:
        await results(page, site)
        await page.get_by_role("link", name="Look at set/1.jpg", exact=True).click()
        await expect(page.get_by_role("heading", name="1.jpg")).to_be_visible()
        await page.get_by_role("link", name="More from this folder").first.click()
        await expect(page.locator("main li")).to_have_count(24)
        await page.get_by_role("link", name="Look at set/5.jpg", exact=True).click()
        await page.get_by_role("link", name="Search with this").click()
        await expect(page).to_have_url(f"{site.url}/?image_id={site.service.images[5].image_id}")
