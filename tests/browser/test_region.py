"""A box on the query photo."""

from __future__ import annotations

import asyncio
import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import IN_BROWSER, OpenPage, Site

pytestmark = IN_BROWSER


async def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse, between two points given in fractions of the query photo."""
    await page.locator(".query-image").scroll_into_view_if_needed()
    frame = await page.locator(".query-image").bounding_box()
    assert frame is not None
    for number, (x, y) in enumerate((start, end)):
        await page.mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"], steps=5)
        await (page.mouse.down() if number == 0 else page.mouse.up())


def last_region(site: Site) -> tuple[float, ...]:
    region = site.service.searches[-1].region
    return region.x, region.y, region.width, region.height


@pytest_asyncio.fixture(loop_scope="session")
async def query(page: Page, site: Site) -> Page:
    """The page with the results of the first image."""
    await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(23)
    return page


async def test_a_drawn_box_searches_that_part_at_once(query: Page, site: Site) -> None:
    await drag(query, (0.75, 0.7), (0.25, 0.2))
    await expect(query).to_have_url(re.compile(r"&region=0\.\d+,0\.\d+,0\.\d+,0\.\d+$"))
    assert last_region(site) == pytest.approx((0.25, 0.2, 0.5, 0.5), abs=0.02)
    assert await query.evaluate("document.activeElement.className") == "box"
    await query.go_back()
    await expect(query).to_have_url(re.compile(r"image_id=\w+$"))
    await expect(query.locator(".box")).to_have_count(0)


async def test_a_box_reaching_past_the_photo_ends_at_its_edge(query: Page, site: Site) -> None:
    await drag(query, (0.5, 0.5), (1.4, 1.6))
    await expect(query).to_have_url(re.compile("region="))
    x, y, width, height = last_region(site)
    assert (x + width, y + height) == pytest.approx((1, 1))


async def test_a_click_is_no_box(query: Page, site: Site) -> None:
    await drag(query, (0.5, 0.5), (0.505, 0.505))
    await expect(query.locator(".box")).to_have_count(0)
    assert len(site.service.searches) == 1


async def test_a_box_is_moved_and_resized_with_the_mouse(query: Page, site: Site) -> None:
    await drag(query, (0.2, 0.2), (0.6, 0.6))
    await expect(query).to_have_url(re.compile("region="))
    await drag(query, (0.4, 0.4), (0.6, 0.5))
    while len(site.service.searches) < 3:
        await query.wait_for_timeout(20)
    assert last_region(site) == pytest.approx((0.4, 0.3, 0.4, 0.4), abs=0.02)
    await drag(query, (0.8, 0.7), (0.9, 0.9))
    while len(site.service.searches) < 4:
        await query.wait_for_timeout(20)
    assert last_region(site) == pytest.approx((0.4, 0.3, 0.5, 0.6), abs=0.02)


async def test_the_keyboard_alone_selects_moves_resizes_and_searches(query: Page, site: Site) -> None:
    await query.get_by_role("button", name="Select a part").press("Enter")
    box = query.get_by_role("application")
    await expect(box).to_be_focused()
    await query.keyboard.press("ArrowLeft")
    await query.keyboard.press("ArrowDown")
    await query.keyboard.press("Shift+ArrowRight")
    await query.keyboard.press("Shift+ArrowUp")
    await expect(box).to_have_accessible_name(
        "Selected part: 24% from the left, 26% from the top, 51% wide, 49% high"
    )
    assert len(site.service.searches) == 1
    await query.keyboard.press("Enter")
    await expect(query).to_have_url(re.compile("region=0.24,0.26,0.51,0.49$"))
    assert last_region(site) == (0.24, 0.26, 0.51, 0.49)
    await expect(box).to_be_focused()
    await query.keyboard.press("Escape")
    await expect(query).to_have_url(re.compile(r"image_id=\w+$"))
    await expect(box).to_have_count(0)


async def test_the_box_stays_inside_the_photo_whatever_the_keys(query: Page, site: Site) -> None:
    await query.get_by_role("button", name="Select a part").click()
    for _ in range(60):
        await query.keyboard.press("ArrowRight")
        await query.keyboard.press("Shift+ArrowDown")
        await query.keyboard.press("Shift+ArrowLeft")
    await query.keyboard.press("Enter")
    await expect(query).to_have_url(re.compile("region="))
    x, y, width, height = last_region(site)
    assert x + width <= 1
    assert y + height <= 1
    assert width == pytest.approx(0.02)


async def test_numbers_do_what_the_box_does(query: Page, site: Site) -> None:
    await query.locator(".query summary").click()
    for name, value in (("Left", "0.1"), ("Top", "0.2"), ("Width", "0.3"), ("Height", "0.4")):
        await query.get_by_label(name, exact=True).fill(value)
    await query.get_by_role("button", name="Search again").click()
    await expect(query).to_have_url(re.compile("region=0.1,0.2,0.3,0.4$"))
    assert last_region(site) == (0.1, 0.2, 0.3, 0.4)
    await expect(query.locator(".box")).to_have_attribute("style", re.compile(r"left: 10%; top: 20%"))


async def test_the_whole_photo_is_one_button_away(query: Page, site: Site) -> None:
    await drag(query, (0.2, 0.2), (0.6, 0.6))
    await query.get_by_role("link", name="Use the whole photo").click()
    await expect(query).to_have_url(re.compile(r"image_id=\w+$"))
    assert not site.service.searches[-1].HasField("region")
    await expect(query.locator(".box")).to_have_count(0)
    await expect(query.get_by_role("link", name="Use the whole photo")).to_have_count(0)


async def test_a_part_of_an_upload_is_searched_with_the_same_file(page: Page, site: Site) -> None:
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect(page.locator("#results li[data-photo]")).to_have_count(24)
    await drag(page, (0.1, 0.1), (0.5, 0.5))
    clear = page.get_by_role("button", name="Use the whole photo")
    await expect(clear).to_be_visible()
    assert site.service.searches[-1].image.content == site.photo.read_bytes()
    assert last_region(site) == pytest.approx((0.1, 0.1, 0.4, 0.4), abs=0.02)
    await clear.click()
    await expect(clear).to_have_count(0)
    assert not site.service.searches[-1].HasField("region")


async def test_a_finger_moves_the_box_but_scrolls_on_the_photo(open_page: OpenPage, site: Site) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with open_page(f"/?image_id={site.service.images[0].image_id}", **options) as page:
        touch = await page.context.new_cdp_session(page)

        async def swipe(start: tuple[float, float], end: tuple[float, float]) -> None:
            frame = await page.locator(".query-image").bounding_box()
            assert frame is not None
            points = [
                {"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]}
                for x, y in (start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end)
            ]
            for kind, given in zip(
                ("touchStart", "touchMove", "touchMove", "touchEnd"), [*points, None], strict=True
            ):
                await touch.send(
                    "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [given] if given else []}
                )

        await swipe((0.5, 0.8), (0.55, 0.2))
        while not await page.evaluate("window.scrollY"):  # Playwright's own needs the forbidden `eval`
            await asyncio.sleep(0.05)
        await expect(page.locator(".box")).to_have_count(0)
        await page.get_by_role("button", name="Select a part").tap()
        await swipe((0.5, 0.5), (0.6, 0.4))
        await expect(page).to_have_url(re.compile("region="))
    assert last_region(site) == pytest.approx((0.35, 0.15, 0.5, 0.5), abs=0.03)


async def test_a_selected_part_is_searched_with_by_a_button_that_everyone_sees(
    page: Page, site: Site
) -> None:
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}")
    search = page.get_by_role("button", name="Search with this part")
    await expect(search).to_be_hidden()
    await page.get_by_role("button", name="Select a part").click()
    await search.click()
    await expect(page.get_by_role("link", name="Use the whole photo")).to_be_visible()
    assert site.service.searches[-1].region.width == 0.5
    await page.get_by_role("link", name="Use the whole photo").click()
    await expect(page.get_by_role("button", name="Select a part")).to_be_visible()
    await expect(search).to_be_hidden()
