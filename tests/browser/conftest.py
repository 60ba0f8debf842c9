"""A real Chromium before a real gateway, the search service behind it faked."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw
from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

from gateway.app import create_app
from gateway.settings import Settings
from tests.gateway.fake_service import FakeService, record_of, served
from tests.gateway.serving import listening

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# One browser serves all of these tests, so that they share its event loop.
IN_BROWSER = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SIZES = [(400, 300), (300, 400), (480, 200), (320, 320)]


@dataclass
class Site:
    """A running gateway: its address, its search service, and a photo to upload."""

    url: str
    service: FakeService
    photo: Path
    complaints: list[str] = field(default_factory=list)


@cache
def picture(number: int, image_format: str) -> bytes:
    """A photo that can be told from the others by its colour and number."""
    width, height = SIZES[number % len(SIZES)]
    image = Image.new("RGB", (width, height), f"hsl({number * 47 % 360}, 45%, 60%)")
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.3, height * 0.3, width * 0.7, height * 0.7), fill="white")
    draw.text((10, 10), str(number), fill="black")
    content = io.BytesIO()
    image.save(content, image_format)
    return content.getvalue()


@pytest_asyncio.fixture(loop_scope="session")
async def service() -> AsyncIterator[FakeService]:
    """24 photos."""
    service = FakeService(chunk_bytes=10_000)
    for number in range(24):
        content = picture(number, "JPEG")
        record = record_of(content, f"set/{number}.jpg", *SIZES[number % len(SIZES)])
        service.add(record, content, picture(number, "WEBP"))
    service.preview = picture(99, "WEBP")
    async with served(service):
        yield service


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "query.png"
    path.write_bytes(picture(99, "PNG"))
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def site(service: FakeService, photo: Path) -> AsyncIterator[Site]:
    settings = Settings(extractor_address=service.address, max_upload_bytes=1_000_000)
    async with listening(create_app(settings)) as port:
        yield Site(f"http://127.0.0.1:{port}", service, photo)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """CHROMIUM names another one than the first on the path."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        await chromium.close()


OpenPage = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture
def open_page(browser: Browser, site: Site) -> OpenPage:
    """Opens the start page in a context of its own; at the end, nothing may have been complained of."""

    @asynccontextmanager
    async def opened(path: str = "/", **context_options: Any) -> AsyncIterator[Page]:
        context = await browser.new_context(**context_options)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        page.on("console", lambda message: _note(site, message))
        page.on("pageerror", lambda error: site.complaints.append(_words(error)))
        await page.goto(site.url + path)
        try:
            yield page
        finally:
            await context.close()
        assert site.complaints == []

    return opened


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_page: OpenPage) -> AsyncIterator[Page]:
    async with open_page(viewport={"width": 1280, "height": 900}) as opened:
        yield opened


def _note(site: Site, message: ConsoleMessage) -> None:
    """What a browser says of a status by intent is no complaint; of a broken policy or script it is."""
    if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
        site.complaints.append(message.text)


def _words(error: Error) -> str:
    return error.message
