"""Services that are stopped while they answer, and builds that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx

from imagesearch.store.layout import StoreLayout
from indexer.inspection import damage
from tests.conftest import REPOSITORY
from tests.extractor_service.serving import png, textured
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw_many
from tests.torture.promise import Outcome
from tests.torture.site import Program, Site, site, whole

CLIENTS = 6
ADDRESS = "127.0.3.1"
"""Of theirs: from the gateway's own, a client that finds nobody there can come to be connected to itself."""


def service_stops(root: Path, short: bool) -> Outcome:
    """Every search that the gateway took has an answer: results, or when to ask again."""
    with site(root, RATE_LIMIT_PER_MINUTE="0") as here:
        return stopped_under_load(here, here.service, {"200", "503 later"}, short)


def gateway_stops(root: Path, short: bool) -> Outcome:
    """So has every one that reached the gateway; while it is away, nothing does."""
    with site(root, RATE_LIMIT_PER_MINUTE="0") as here:
        return stopped_under_load(here, here.gateway, {"200", "503 later", "ConnectError"}, short)


def program_stops(root: Path, short: bool) -> Outcome:
    """The same of both at once."""
    with whole(root) as here:
        return stopped_under_load(here, here.gateway, {"200", "503 later", "ConnectError"}, short)


def stopped_under_load(here: Site, program: Program, fine: set[str], short: bool) -> Outcome:
    """fine: what a search may come to."""
    outcome = Outcome()
    for _ in range(2 if short else 50):
        for status, count in searching(here, program.restart).items():
            for _ in range(count):
                outcome.check(status in fine, f"a search: {status}")
        here.wait_until_ready()
    return outcome


def searching(here: Site, meanwhile: Callable[[], None]) -> Counter[str]:
    """What searches of several clients came to, while something happens."""
    seen: Counter[str] = Counter()
    over = threading.Event()
    photo = png(textured(3))

    def ask() -> None:
        with here.client(ADDRESS) as client:
            while not over.is_set():
                try:
                    answer = client.post("/search", files={"image": photo})
                    later = " later" if "retry-after" in answer.headers else ""
                    seen[f"{answer.status_code}{later}"] += 1
                except httpx.ConnectError:
                    seen["ConnectError"] += 1
                    over.wait(0.1)
                except httpx.TransportError as error:
                    seen[type(error).__name__] += 1

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    meanwhile()
    time.sleep(0.5)
    over.set()
    for thread in threads:
        thread.join()
    return seen


def killed_builds(root: Path, short: bool) -> Outcome:
    """After each the store is whole, and the next build goes on."""
    outcome, rng = Outcome(), random.Random(1)
    images, layout = root / "images", StoreLayout(root / "store")
    images.mkdir()
    for number in range(3 if short else 60):
        draw_many(images, range(10 * number, 10 * number + 10))
        build(images, layout, kill_after_s=rng.uniform(0.5, 4))
        found = damage(layout, FakeNetworks()) if layout.ledger_path.exists() else []
        outcome.check(not found, f"after a kill: {found[:1]}")
    code = build(images, layout)
    outcome.check(code == 0, f"the last build: exit code {code}")
    outcome.check(not damage(layout, FakeNetworks()), "after the last build")
    return outcome


def build(images: Path, layout: StoreLayout, kill_after_s: float | None = None) -> int:
    settings = {
        "INDEXER_IMAGES_DIR": str(images),
        "INDEXER_STORE_DIR": str(layout.root),
        "FAKE_BATCH_S": "0.05",
        "EARLY_AT_ONCE": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.indexer.fake_networks", "build"],
        cwd=REPOSITORY,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(kill_after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait()
