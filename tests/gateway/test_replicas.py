"""The gateway before several search services: which come, go and lag behind, and no query fails."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from gateway import errors
from gateway.search_client import Photo, Query, SearchClient
from gateway.search_options import SearchOptions
from gateway.settings import Settings
from tests.conftest import REPOSITORY
from tests.extractor_service.serving import Folder, photo
from tests.gateway.fake_service import Failure, FakeService, record_of, served

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
QUERY = Query(SearchOptions(), (Photo(photo(1)),))


@asynccontextmanager
async def replicas(count: int) -> AsyncIterator[list[FakeService]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(served(FakeService())) for _ in range(count)]


@asynccontextmanager
async def client_of(*addresses: str) -> AsyncIterator[SearchClient]:
    """Several addresses are given as a name server would give them."""
    client = SearchClient.connect(Settings(extractor_address="ipv4:" + ",".join(addresses)))
    try:
        yield client
    finally:
        await client.close()


async def ask_until_all_have_answered(client: SearchClient, services: Sequence[FakeService]) -> None:
    async with asyncio.timeout(20):
        while not all(service.calls for service in services):
            await client.get_index()


async def test_replicas_share_the_calls() -> None:
    async with replicas(3) as services, client_of(*(each.address for each in services)) as client:
        await ask_until_all_have_answered(client, services)


async def test_a_replica_that_is_not_ready_is_asked_nothing() -> None:
    async with replicas(2) as (ready, loading), client_of(ready.address, loading.address) as client:
        await loading.health.set("imagesearch.v1.ImageSearchService", NOT_SERVING)
        for _ in range(20):
            await client.get_index()
        assert (len(ready.calls), len(loading.calls)) == (20, 0)


async def test_where_no_replica_is_ready_one_says_why() -> None:
    async with replicas(2) as services, client_of(*(each.address for each in services)) as client:
        for service in services:
            await service.health.set("imagesearch.v1.ImageSearchService", NOT_SERVING)
            service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
        with pytest.raises(errors.IndexNotReady):
            await client.get_index()


async def test_an_image_that_one_replica_does_not_know_yet_is_asked_for_again() -> None:
    async with replicas(2) as (ahead, behind), client_of(ahead.address, behind.address) as client:
        record = record_of(b"new", "new.jpg")
        ahead.add(record, b"new", b"thumbnail")
        await ask_until_all_have_answered(client, (ahead, behind))
        for _ in range(4):
            assert await client.thumbnail(record.image_id, 256) == b"thumbnail"
            assert (await client.get_image(record.image_id)).paths == ("new.jpg",)
            (await client.open_original(record.image_id)).close()
        with pytest.raises(errors.UnknownImage):
            await client.get_image("0" * 32)


@dataclass
class Process:
    """A real search service of its own, which can be started again at its address."""

    folder: Folder
    port: str = "0"
    running: asyncio.subprocess.Process = field(init=False)

    async def start(self) -> None:
        command = [sys.executable, "-m", "tests.extractor_service.transport.serve_slowly", "0.005"]
        settings = {"PORT": self.port, "STORE_DIR": str(self.folder.store_dir), "DECODE_WORKERS": "1"}
        environment = {f"EXTRACTOR_{name}": value for name, value in settings.items()}
        self.running = await asyncio.create_subprocess_exec(
            *command, cwd=REPOSITORY, env=os.environ | environment, stderr=subprocess.PIPE
        )
        assert self.running.stderr is not None
        output = b""
        while not (ready := re.search(rb"ready on 127\.0\.0\.1:(\d+)", output)):
            output += await self.running.stderr.readline()
        self.port = ready[1].decode()

    async def end(self, number: signal.Signals) -> None:
        self.running.send_signal(number)
        await self.running.wait()


@asynccontextmanager
async def real_replicas(folder: Folder, count: int) -> AsyncIterator[list[Process]]:
    processes = [Process(folder) for _ in range(count)]
    try:
        await asyncio.gather(*(process.start() for process in processes))
        yield processes
    finally:
        for process in processes:
            if process.running.returncode is None:
                await process.end(signal.SIGKILL)


async def search_on(client: SearchClient, answered: Counter[str]) -> None:
    while True:
        answer = await client.search(QUERY, preview=False)
        answered[answer.response.results[0].path] += 1


async def test_no_query_fails_while_one_replica_is_stopped_and_another_killed(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(5))
    folder.publish()
    answered: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(real_replicas(folder, 3))
        addresses = (f"127.0.0.1:{each.port}" for each in services)
        client = await stack.enter_async_context(client_of(*addresses))
        searching = [asyncio.create_task(search_on(client, answered)) for _ in range(6)]
        for service, number in zip(services, (signal.SIGTERM, signal.SIGKILL), strict=False):
            await service.end(number)
            await service.start()
            answered_before = answered.total()
            while answered.total() < answered_before + 50 and not any(task.done() for task in searching):
                await asyncio.sleep(0.05)
        for task in searching:
            task.cancel()
        outcomes = await asyncio.gather(*searching, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes
    assert set(answered) == {"001.png"}
