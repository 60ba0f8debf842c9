"""How the page meets different readers, screens and browsers."""

from __future__ import annotations

import asyncio

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site, picture

pytestmark = IN_BROWSER

# Open options make the fullest page there is.
STATES = {
    "start": "/",
    "looking": "/?image_id={id}#looking",
    "photo": "/photo/{id}",
    "folder": "/folder?folder=set",
    "folders": "/folders",
    "duplicates": "/duplicates",
    "refused": "/refused",
    "results": "/?image_id={id}&region=0.1,0.2,0.3,0.4",
    "several photos": "/?image_ids={id}&image_ids={more[1]}&not_image_ids={more[2]}&not_image_ids={more[3]}",
    "match": "/?image_id={id}&verify=true&match={more[1]}",
    "problem": "/?image_id={id}&limit=0",
    "docs": "/docs",
    "many files": "/#many",
}


def address(site: Site, state: str) -> str:
    if state == "match":
        point = [search_pb2.Point(x=0.5, y=0.5)]
        site.service.match = search_pb2.Match(inliers=1, query_points=point, result_points=point)
    ids = [image.image_id for image in site.service.images]
    return STATES[state].format(id=ids[0], more=ids)


async def open_all(page: Page) -> None:
    """Options, the bar of what is selected, a photo over the page, or what is found of many, by the state."""
    if page.url.endswith("#many"):
        file: FilePayload = {"name": "long " * 30, "mimeType": "image/png", "buffer": picture(1, "PNG")}
        await page.locator("#photo").set_input_files([file] * 9)
        await expect(page.locator(".lookup .name")).to_have_count(9)
        return
    if await page.locator(".pick").count():
        await page.locator(".pick").first.check()
    if page.url.endswith("#looking"):
        await page.locator("a.look").first.click()
        await expect(page.locator("#looking .large")).to_be_visible()
        await page.locator("[data-look=compare]").click()
        return
    for summary in await page.locator("summary").locator("visible=true").all():
        await summary.click()


@pytest.mark.parametrize("state", STATES)
async def test_a_checker_of_accessibility_finds_nothing_in_light_and_dark(
    open_page: OpenPage, site: Site, state: str
) -> None:
    async with open_page(address(site, state), reduced_motion="reduce") as page:
        await open_all(page)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            found = await Axe().run(page, options={"rules": {"target-size": {"enabled": True}}})
            assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []


async def test_dark_is_dark_and_light_is_light(open_page: OpenPage) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    async with open_page(color_scheme="dark") as page:
        assert await page.evaluate(background) == "rgb(20, 20, 21)"
    async with open_page(color_scheme="light") as page:
        assert await page.evaluate(background) == "rgb(250, 249, 247)"


@pytest.mark.parametrize("state", STATES)
async def test_nothing_reaches_past_the_side_of_the_screen(
    open_page: OpenPage, site: Site, state: str
) -> None:
    site.service.images[1].paths[:] = [f"{'long name ' * 12}{'n' * 120}.jpg", "صور/من البحر.jpg", "🏖️.jpg"]
    async with open_page(address(site, state), locale="ja-JP" if len(state) % 2 else "en-US") as page:
        await open_all(page)
        for width in (320, 390, 820, 1440, 2560):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_photos_keep_their_proportions_and_their_places(open_page: OpenPage, site: Site) -> None:
    shifts = """() => new Promise((resolve) => new PerformanceObserver((list) =>
        resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))
    ).observe({ type: "layout-shift", buffered: true }) ?? setTimeout(() => resolve(0), 500))"""

    async def come_late(route: Route) -> None:
        await asyncio.sleep(0.4)
        await route.continue_()

    async with open_page(viewport={"width": 1280, "height": 900}) as page:
        # Scripts move parts of the page: however late they come, nothing may be painted before.
        await page.route("**/*.js*", come_late)
        await page.goto(site.url + address(site, "results"))
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate(shifts) < 0.01
        for index, (width, height) in enumerate([(300, 400), (480, 200), (320, 320)]):
            box = await page.locator("#results .photo").nth(index).bounding_box()
            assert box is not None
            assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.03)


@pytest.mark.parametrize(("density", "query"), [(1, ""), (2.5, "?size=512")])
async def test_thumbnails_are_as_sharp_as_the_screen(open_page: OpenPage, density: float, query: str) -> None:
    async with open_page(device_scale_factor=density) as page:
        photo = page.locator(".samples img").first
        assert await photo.evaluate("image => new URL(image.currentSrc).search") == query


@pytest.mark.parametrize("width", [390, 820, 1280, 1440])
async def test_all_rows_of_the_gallery_are_about_as_high(open_page: OpenPage, site: Site, width: int) -> None:
    for image in site.service.images:
        image.paths[:] = [f"set/a name as long as cameras and phones give them {image.paths[0][4:]}"]
    heights_by_row = """() => {
        const rows = new Map();
        for (const photo of document.querySelectorAll("#results .photo")) {
            const { top, height } = photo.getBoundingClientRect();
            rows.set(Math.round(top), [...(rows.get(Math.round(top)) ?? []), height]);
        }
        return [...rows.values()];
    }"""

    async def check() -> None:
        rows = await page.evaluate(heights_by_row)
        assert len(rows) > 2
        # Each photo's shape is rounded to a class, so that even the photos of one row differ by a little.
        for row in rows:
            assert min(row) >= 0.93 * max(row)
        assert min(rows[-1]) >= 0.9 * min(rows[-2])

    async with open_page(address(site, "results"), viewport={"width": width, "height": 900}) as page:
        await check()
        await page.set_viewport_size({"width": width - 60, "height": 900})
        await page.wait_for_timeout(200)
        await check()


async def test_the_page_speaks_japanese(open_page: OpenPage, site: Site) -> None:
    async with open_page(locale="ja-JP") as page:
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await page.get_by_label("写真を選ぶ").set_input_files(site.photo)
        await expect(page.get_by_role("heading", name="検索結果")).to_be_visible()
        await expect(page.locator("#status")).to_contain_text("24枚の写真から24件")
        await page.get_by_role("button", name="一部を選ぶ").click()
        await expect(page.get_by_role("application")).to_have_accessible_name(
            "選んだ範囲: 左から25%、上から25%、幅50%、高さ50%"
        )


async def test_everything_works_without_scripts(open_page: OpenPage, site: Site) -> None:
    first, second = site.service.images[:2]
    async with open_page(java_script_enabled=False) as page:
        await page.get_by_label("Choose a photo").set_input_files(site.photo)
        await page.get_by_role("button", name="Search", exact=True).click()
        await expect(page.locator("#results li[data-photo]")).to_have_count(24)
        preview = await page.locator(".query-image").get_attribute("src")
        assert preview is not None
        assert preview.startswith("data:image/webp;base64,")

        await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
        await expect(page).to_have_url(f"{site.url}/?image_id={first.image_id}")
        await page.locator(".query summary").click()
        await page.locator("#refine-limit").fill("3")
        for name, value in (("Left", "0.1"), ("Top", "0.2"), ("Width", "0.3"), ("Height", "0.4")):
            await page.get_by_label(name, exact=True).fill(value)
        await page.get_by_role("button", name="Search again").click()
        await expect(page.locator("#results li[data-photo]")).to_have_count(3)
        assert site.service.searches[-1].region.width == 0.3
        await expect(page.locator(".shade path")).to_have_count(1)

        await page.get_by_role("link", name="Search with set/1.jpg", exact=True).click()
        await expect(page).to_have_url(f"{site.url}/?image_id={second.image_id}&limit=3")
        await page.go_back()
        await expect(page.locator(".shade path")).to_have_count(1)
        await page.get_by_role("link", name="Use the whole photo").click()
        await expect(page).to_have_url(f"{site.url}/?image_id={first.image_id}&limit=3")


async def test_an_error_without_scripts_is_a_page_with_a_way_on(open_page: OpenPage, site: Site) -> None:
    async with open_page(java_script_enabled=False) as page:
        await page.get_by_label("Choose a photo").set_input_files(
            {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""}
        )
        await page.get_by_role("button", name="Search", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("Empty file")
        await page.get_by_label("Choose a photo").set_input_files(site.photo)
        await page.get_by_role("button", name="Search", exact=True).click()
        await expect(page.locator("#results li[data-photo]")).to_have_count(24)


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, site: Site) -> None:
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    for name in ("Simple Image Search Engine", "Folders", "Duplicates"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("banner").get_by_role("link", name=name)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Choose a photo")).to_be_focused()
    outline = await page.locator("label[for=photo]").evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Search with set/0.jpg", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#results li[data-photo]")).to_have_count(23)


async def test_a_gallery_is_one_stop_with_arrow_keys_inside(page: Page, site: Site) -> None:
    await page.goto(site.url + address(site, "looking"))
    await page.get_by_role("link", name="Skip to the results").press("Enter")

    def tile(number: int) -> Locator:
        return page.get_by_role("link", name=f"Search with set/{number}.jpg", exact=True)

    await expect(tile(1)).to_be_focused()
    for key, number in (("ArrowRight", 2), ("End", 23), ("Home", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        await page.keyboard.press(key)
        await expect(tile(number)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    below = await page.evaluate("document.activeElement.getBoundingClientRect().top")
    first = await tile(1).bounding_box()
    assert first is not None
    assert below > first["y"] + first["height"]
    await page.keyboard.press("ArrowUp")
    await expect(tile(1)).to_be_focused()
    for _ in range(5):  # +, -, the box to select it, and the one to look at it
        await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.closest('.gallery')") is None
    await page.keyboard.press("/")
    await expect(page.get_by_label("Choose a photo")).to_be_focused()
    await tile(1).focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("dialog").get_by_role("heading", name="1.jpg")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_keyboard_is_never_lost(page: Page, site: Site) -> None:
    await page.goto(site.url + address(site, "results"))
    await page.get_by_role("application").focus()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("application")).to_have_count(0)
    await expect(page.get_by_role("button", name="Select a part")).to_be_focused()
    await page.get_by_role("link", name="Search with set/2.jpg", exact=True).click()
    await expect(page.get_by_role("heading", name="Results")).to_be_focused()
    await page.go_back()
    await expect(page.locator(".query-image")).to_have_attribute("alt", "set/0.jpg")
    assert await page.evaluate("document.activeElement.tagName") != "BODY"


async def test_others_are_shown_to_start_from(page: Page, site: Site) -> None:
    names = page.locator(".samples .photo img")
    before = await names.first.get_attribute("alt")
    await page.get_by_role("link", name="Show others").click()
    await expect(names.first).not_to_have_attribute("alt", before or "")
    await expect(page.get_by_role("link", name="Show others")).to_be_focused()


async def test_the_first_results_are_on_the_first_screen_of_a_phone(open_page: OpenPage, site: Site) -> None:
    options = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}
    async with open_page(address(site, "looking"), **options) as page:
        await expect(page.locator("#results .photo").first).to_be_in_viewport(ratio=1)
        small = """() => [...document.querySelectorAll("#results :is(a, button, label, summary)")]
            .filter((each) => each.checkVisibility())
            .map((each) => [each.getBoundingClientRect(), each.outerHTML])
            .filter(([box]) => Math.min(box.width, box.height) < 43.9).map(([, html]) => html)"""
        assert await page.evaluate(small) == []


async def test_who_wants_less_motion_gets_none(open_page: OpenPage, site: Site) -> None:
    async with open_page(address(site, "results"), reduced_motion="reduce") as page:
        image = page.locator("#results .photo img").first
        await image.hover()
        assert await image.evaluate("node => getComputedStyle(node).scale") == "none"
        assert await image.evaluate("node => getComputedStyle(node).transitionProperty") == "none"


async def test_a_script_or_style_slipped_into_the_page_does_nothing_and_is_noticed(
    page: Page, site: Site
) -> None:
    await page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", '<p id="styled" style="color: rgb(1, 2, 3)">x</p>');
    }""")
    assert await page.title() == "Simple Image Search Engine"
    assert await page.locator("#styled").evaluate("node => getComputedStyle(node).color") != "rgb(1, 2, 3)"
    assert len(site.complaints) == 2
    site.complaints.clear()
