"""From a click on a sample photo to the last thumbnail of the first screen, in a real browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import Table, percentile
from benchmarks.serve import copy_photos
from benchmarks.services import index, serving

CLICKS = 20
SIZES = {"wide": (1440, 900), "phone": (390, 844)}

SHOWN_MS = """() => {
  const images = [...document.querySelectorAll("#results img")]
    .filter((image) => image.checkVisibility() && image.getBoundingClientRect().top < innerHeight);
  if (!images.every(({ complete, naturalWidth }) => complete && naturalWidth)) return 0;
  if (!images.length) return performance.timeOrigin + performance.now();  // nothing alike was found
  const thumbnails = performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/thumbnails/"));
  return performance.timeOrigin + Math.max(...thumbnails.map(({ responseEnd }) => responseEnd));
}"""
"""When the last thumbnail on the screen had come, in milliseconds since 1970; 0 while one is missing."""


def run(full: bool) -> None:
    table = Table("page", ("screen", "clicks", "p50 ms", "p95 ms")).start()
    with tempfile.TemporaryDirectory(dir="var") as directory, sync_playwright() as playwright:
        images_dir, store_dir = copy_photos(Path(directory) / "images"), Path(directory) / "store"
        index(images_dir, store_dir, "efficientnet-lite0")
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        with serving(store_dir, images_dir) as port:
            for screen, (width, height) in SIZES.items():
                page = browser.new_page(viewport={"width": width, "height": height})
                times_ms = [clicked_ms(page, f"http://127.0.0.1:{port}/?others={n}") for n in range(CLICKS)]
                table.add(screen, CLICKS, percentile(times_ms, 0.5), percentile(times_ms, 0.95))
        browser.close()
    table.save()


def chromium() -> str | None:
    """None for the one that Playwright brought."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def clicked_ms(page: Page, address: str) -> float:
    page.goto(address, wait_until="networkidle")
    sample = page.locator(".samples a:has(img)").first
    began_ms = page.evaluate("() => performance.timeOrigin + performance.now()")
    sample.click()
    page.wait_for_selector("#results img", state="attached")
    while not (shown_ms := page.evaluate(SHOWN_MS)):
        page.wait_for_timeout(10)
    return float(shown_ms - began_ms)
