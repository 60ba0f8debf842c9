"""Going on and narrowing down, on the page."""

from __future__ import annotations

import grpc
from playwright.async_api import Page, expect

from tests.browser.conftest import IN_BROWSER, OpenPage, Site
from tests.gateway.fake_service import Failure

pytestmark = IN_BROWSER

RESULTS = "#results .gallery > li"


def address_of(site: Site, rest: str = "") -> str:
    return f"/?image_id={site.service.images[0].image_id}&limit=10{rest}"


async def show_more(page: Page) -> None:
    await page.get_by_role("link", name="Show more").click()


async def test_more_results_come_behind_those_shown_which_stay_where_they_are(
    open_page: OpenPage, site: Site
) -> None:
    site.service.likeness = ["same"] * 3 + ["alike"] * 12 + ["weak"]
    async with open_page(address_of(site), viewport={"width": 1280, "height": 700}) as page:
        await page.get_by_role("link", name="Show more").scroll_into_view_if_needed()
        before = await page.evaluate("scrollY")
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(20)
        await expect(page.locator("#found")).to_have_text("20 results among 24 photos")
        await expect(page.locator("[data-section=alike] .gallery > li")).to_have_count(12)
        await expect(page.locator("[data-section=weak] .gallery > li")).to_have_count(5)
        assert await page.locator("[data-section=weak]").evaluate("details => details.open")
        assert await page.evaluate("scrollY") == before
        await expect(page.get_by_role("link", name="Search with set/11.jpg", exact=True)).to_be_focused()
        await expect(page).to_have_url(site.url + address_of(site, "&offset=10"))
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(23)
        await expect(page.get_by_role("link", name="Show more")).to_have_count(0)
        names = await page.locator(f"{RESULTS} img").evaluate_all("images => images.map(({ alt }) => alt)")
        assert names == [f"Search with set/{number}.jpg" for number in range(1, 24)]


async def test_going_back_shows_all_that_was_shown(open_page: OpenPage, site: Site) -> None:
    async with open_page(address_of(site)) as page:
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(20)
        await page.get_by_role("link", name="Search with set/15.jpg", exact=True).click()
        await expect(page).to_have_url(f"{site.url}/?image_id={site.service.images[15].image_id}&limit=10")
        asked = len(site.service.searches)
        await page.go_back()
        await expect(page.locator(RESULTS)).to_have_count(20)
        assert len(site.service.searches) == asked
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(23)


async def test_the_address_keeps_the_place_also_without_scripts(open_page: OpenPage, site: Site) -> None:
    async with open_page(address_of(site), java_script_enabled=False) as page:
        await show_more(page)
        await expect(page).to_have_url(site.url + address_of(site, "&offset=10"))
        await expect(page.locator(RESULTS)).to_have_count(10)
        await expect(page.locator("#found")).to_have_text("results 11 to 20 among 24 photos")
        await page.get_by_role("link", name="Earlier results").click()
        await expect(page).to_have_url(site.url + address_of(site))


async def test_an_upload_goes_on_as_well(page: Page, site: Site) -> None:
    await page.get_by_text("Options", exact=True).locator("visible=true").click()
    await page.get_by_label("Number of results").locator("visible=true").fill("10")
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect(page.locator(RESULTS)).to_have_count(10)
    await page.get_by_role("button", name="Show more").click()
    await expect(page.locator(RESULTS)).to_have_count(20)
    assert site.service.searches[-1].image.content == site.photo.read_bytes()
    assert site.service.searches[-1].offset == 10
    await expect(page).to_have_url(site.url + "/")


async def test_what_is_shown_stays_where_more_cannot_be_had(open_page: OpenPage, site: Site) -> None:
    async with open_page(address_of(site)) as page:
        site.service.failure = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        await show_more(page)
        await expect(page.get_by_role("alert")).to_contain_text("Busy")
        await expect(page.locator(RESULTS)).to_have_count(10)
        site.service.failure = None
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(20)
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_results_are_narrowed_down_by_folder_and_days_and_widened_again(page: Page, site: Site) -> None:
    site.service.images[3].paths[0] = "set/summer at the sea/3.jpg"
    await page.get_by_text("Options", exact=True).locator("visible=true").click()
    folder = page.get_by_label("in this folder").locator("visible=true")
    await folder.focus()
    offered = "[...document.activeElement.list.options].map(({ value }) => value)"
    while await page.evaluate(offered) != ["set", "set/summer at the sea"]:
        await page.wait_for_timeout(50)
    await folder.fill("set/summer at the sea")
    await page.get_by_label("taken since").locator("visible=true").fill("2019-07-01")
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect(page.locator(".chip")).to_have_text(["In set/summer at the sea", "Taken since 2019-07-01"])
    request = site.service.searches[-1]
    assert (request.folder, request.taken_from, request.taken_to) == (
        "set/summer at the sea",
        "2019-07-01",
        "",
    )
    await page.get_by_role("button", name="In set/summer at the sea: take this filter away").click()
    await expect(page.locator(".chip")).to_have_text(["Taken since 2019-07-01"])
    assert (site.service.searches[-1].folder, site.service.searches[-1].taken_from) == ("", "2019-07-01")
    assert site.service.searches[-1].image.content == site.photo.read_bytes()
    await page.get_by_role("link", name="Search with set/1.jpg", exact=True).click()
    await expect(page.locator(".chip")).to_have_text(["Taken since 2019-07-01"])
    await page.get_by_role("link", name="Taken since 2019-07-01: take this filter away").click()
    await expect(page.locator(".chip")).to_have_count(0)
