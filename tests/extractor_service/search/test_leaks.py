"""The service's own memory stays level over many requests, whatever they ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from extractor_service.search.engine import Engine
from extractor_service.search.queries import FileQuery, SearchOptions, StoredQuery
from extractor_service.search.wiring import SearchCore
from tests.extractor_service.serving import Folder, load_fake, png, settings_for, textured
from tests.memory import own_bytes

REQUESTS = 100
ALLOWED_BYTES = 1024 * 1024
"""Of all requests together."""
ROUNDS = 3
"""At most: what else this process runs takes memory now and then, a leak takes it in each."""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path)
    for seed in range(6):
        folder.add(f"{seed:03d}.png", png(textured(seed)))
    folder.publish(local_features=True, localization=True)
    return folder


@pytest.fixture
async def engine(folder: Folder) -> AsyncIterator[Engine]:
    unhurried = {"verify_budget_ms": 60_000, "localize_budget_ms": 60_000}
    core = SearchCore(settings_for(folder, **unhurried), load_fake)
    await core.live.refresh()
    yield core.engine
    core.close()


async def growth(request: Callable[[], Awaitable[object]]) -> int:
    """In bytes, by so many of them, after some that take what is kept on purpose; of the first round without
    a leak, else of the last."""
    grown = await _grown(request, REQUESTS // 2)
    for _ in range(ROUNDS):
        grown = await _grown(request, REQUESTS)
        if grown < ALLOWED_BYTES:
            break
    return grown


async def _grown(request: Callable[[], Awaitable[object]], requests: int) -> int:
    before = own_bytes()
    for _ in range(requests):
        await request()
    return own_bytes() - before


@pytest.mark.parametrize(
    "options",
    [SearchOptions(verify=True), SearchOptions(verify=False, localize=True), SearchOptions(expand=True)],
    ids=["verify", "localize", "expand"],
)
async def test_searches_leave_nothing_in_memory(
    folder: Folder, engine: Engine, options: SearchOptions
) -> None:
    query = StoredQuery(folder.id_of("003.png"))
    assert await growth(lambda: engine.search(query, options)) < ALLOWED_BYTES


async def test_extracting_leaves_nothing_in_memory(engine: Engine) -> None:
    query = FileQuery(png(textured(3)))
    assert await growth(lambda: engine.extract(query, region=None)) < ALLOWED_BYTES
