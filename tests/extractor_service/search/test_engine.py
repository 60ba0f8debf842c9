"""What the engine does with requests that are given up; the answers themselves are in test_servicer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from extractor_service.live.live_index import LiveIndex
from extractor_service.search.closer_look import Effort, Efforts
from extractor_service.search.engine import Engine
from extractor_service.search.places import Places
from extractor_service.search.queries import FileQuery, SearchOptions, StoredQuery
from imagesearch.backbones.base import Precision
from imagesearch.errors import IndexNotReady, Overloaded
from imagesearch.segmented import Segmented
from tests.extractor_service.serving import LIMITS, Folder, load_fake, photo, wait_until


class BusyPool:
    """A decode pool whose workers never get to the newest tasks."""

    def __init__(self) -> None:
        self.queued: list[Future[Any]] = []

    def submit(self, function: Any, *args: Any, client: str) -> Future[Any]:
        self.queued.append(Future())
        return self.queued[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path, seeds=range(3))
    folder.publish()
    return folder


@pytest.fixture
def pool() -> BusyPool:
    return BusyPool()


@pytest.fixture
def live(folder: Folder) -> LiveIndex:
    return LiveIndex(folder.layout, load_fake, Precision.AUTO, max_batch=1, threads=1)


@pytest.fixture
async def engine(live: LiveIndex, pool: BusyPool) -> AsyncIterator[Engine]:
    efforts = Efforts(Effort(40, 0.4), Effort(40, 0.4))
    engine = Engine(live, pool, LIMITS, Path(), Places(1, 10**9), 1, efforts)  # type: ignore[arg-type]
    yield engine
    engine.close()
    live.close()


async def test_giving_up_a_request_takes_it_out_of_the_decode_queue(
    engine: Engine, live: LiveIndex, pool: BusyPool, folder: Folder
) -> None:
    await live.refresh()
    search = asyncio.create_task(engine.search(FileQuery(photo(1)), SearchOptions()))
    await wait_until(lambda: len(pool.queued) == 1)
    with pytest.raises(Overloaded):
        await engine.search(StoredQuery(folder.id_of("001.png")), SearchOptions())
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    await asyncio.sleep(0)
    assert pool.queued[0].cancelled()
    answer = await engine.search(StoredQuery(folder.id_of("001.png")), SearchOptions())
    assert len(answer.hits) == 2


async def test_before_the_first_snapshot_nothing_is_answered(engine: Engine) -> None:
    with pytest.raises(IndexNotReady, match="still being loaded"):
        await engine.search(FileQuery(photo(1)), SearchOptions())


async def test_what_is_memory_mapped_is_not_read_on_the_event_loop(
    engine: Engine, live: LiveIndex, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []
    locate = Segmented.locate

    def noted(table: Segmented[Any], row: int) -> tuple[Any, int]:
        readers.append(threading.current_thread())
        return locate(table, row)

    monkeypatch.setattr(Segmented, "locate", noted)
    folder.publish(local_features=True, localization=True)
    await live.refresh()
    options = SearchOptions(verify=True, localize=True, preview=True)
    answer = await engine.search(StoredQuery(folder.id_of("001.png")), options)
    assert len(answer.hits) == 2
    assert len(readers) > 3
    assert threading.current_thread() not in readers
