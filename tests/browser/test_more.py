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
    """Where it is: scrolling to it shows more by itself."""
    await page.get_by_role("link", name="Show more").dispatch_event("click")


async def test_more_results_come_behind_those_shown_which_stay_where_they_are(
    open_page: OpenPage, site: Site
) -> None:
    site.service.likeness = ["same"] * 3 + ["alike"] * 12 + ["weak"]
    async with open_page(address_of(site), viewport={"width": 1280, "height": 700}) as page:
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(20)
        await expect(page.locator("#found")).to_have_text("20 results among 24 photos")
        await expect(page.locator("[data-section=alike] .gallery > li")).to_have_count(12)
        await expect(page.locator("[data-section=weak] .gallery > li")).to_have_count(5)
        assert await page.locator("[data-section=weak]").evaluate("details => details.open")
        assert await page.evaluate("scrollY") == 0
        await expect(page.get_by_role("link", name="Search with set/11.jpg", exact=True)).to_be_focused()
        await expect(page).to_have_url(site.url + address_of(site, "&offset=10"))
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(23)
        await expect(page.get_by_role("link", name="Show more")).to_have_count(0)
        names = await page.locator(f"{RESULTS} img").evaluate_all("images => images.map(({ alt }) => alt)")
        assert names == [f"Search with set/{number}.jpg" for number in range(1, 24)]


async def test_scrolling_shows_more_as_long_as_it_is_alike(open_page: OpenPage, site: Site) -> None:
    site.service.likeness = ["alike"] * 12 + ["weak"]
    async with open_page(address_of(site), viewport={"width": 600, "height": 500}) as page:
        while await page.locator(RESULTS).count() < 20:
            await page.mouse.wheel(0, 400)
            await page.wait_for_timeout(50)
        await expect(page.locator("[data-section=weak]")).to_have_count(1)
        await expect(page).to_have_url(site.url + address_of(site, "&offset=10"))
        await page.mouse.wheel(0, 10_000)
        await page.wait_for_timeout(300)
        await expect(page.locator(RESULTS)).to_have_count(20)


async def test_results_by_date_stay_in_order_as_more_come(open_page: OpenPage, site: Site) -> None:
    for number, image in enumerate(site.service.images):
        image.taken_at = f"20{number * 7 % 24:02}-01-01T00:00:00" if number % 5 else ""
    async with open_page(address_of(site)) as page:
        await page.get_by_role("link", name="date", exact=True).click()
        await expect(page).to_have_url(site.url + address_of(site, "&sort=date"))
        await show_more(page)
        await expect(page.locator(RESULTS)).to_have_count(20)
        taken = await page.locator(RESULTS).evaluate_all("tiles => tiles.map((tile) => tile.dataset.taken)")
        assert taken == sorted(taken, reverse=True)
        await page.get_by_role("link", name="likeness", exact=True).click()
        await expect(page).to_have_url(site.url + address_of(site))


async def test_several_results_are_searched_with_copied_and_saved(page: Page, site: Site) -> None:
    first, *others = site.service.images
    await page.goto(site.url + address_of(site))
    bar = page.locator("#selection")
    await expect(bar).to_be_hidden()
    for number in (2, 3):
        await page.get_by_label(f"Select set/{number}.jpg", exact=True).check()
    await expect(bar).to_contain_text("2 selected")
    async with page.expect_download() as saving:
        await bar.get_by_role("button", name="Save as CSV").click()
    saved = await (await saving.value).path()
    assert saved.read_text().count("set/") == 2
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await bar.get_by_role("button", name="Copy paths").click()
    await expect(page.locator("#status")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "set/2.jpg\nset/3.jpg"
    await bar.get_by_role("button", name="Search with them").click()
    ids = [image.image_id for image in others[1:3]]
    await expect(page).to_have_url(f"{site.url}/?image_ids={ids[0]}&image_ids={ids[1]}")
    for number in range(4, 13):
        await page.get_by_label(f"Select set/{number}.jpg", exact=True).check()
    await expect(bar.get_by_role("button", name="Search with them")).to_be_disabled()
    await bar.get_by_role("button", name="Select none").click()
    await expect(bar).to_be_hidden()


async def test_going_back_shows_all_that_was_shown(open_page: OpenPage, site: Site) -> None:
    async with open_page(address_of(site), viewport={"width": 1280, "height": 3_000}) as page:
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
    await page.get_by_role("button", name="Show more").dispatch_event("click")
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
