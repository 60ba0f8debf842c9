"""A gateway that is stopped under load, as a process: nothing that was sent to it is lost."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.conftest import REPOSITORY
from tests.gateway.fake_service import FakeService

BODY = b'{"image": "AAAA"}'
HEAD = b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
SEARCH = HEAD % len(BODY) + BODY


@asynccontextmanager
async def gateway(service: FakeService) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The process, and the port it listens on."""
    settings = {"GATEWAY_PORT": "0", "GATEWAY_EXTRACTOR_ADDRESS": service.address}
    folders = {"GATEWAY_IMAGES_DIR": "samples", "GATEWAY_STORE_DIR": "samples"}
    limits = {"GATEWAY_RATE_LIMIT_PER_MINUTE": "0", "GATEWAY_MAX_CONCURRENT_SEARCHES": "1000"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        cwd=REPOSITORY,
        env={**os.environ, **settings, **folders, **limits},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    address = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", await process.stderr.readline())
    assert address
    reading = asyncio.create_task(process.stderr.read())
    try:
        yield process, int(address[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def search_until_stopped(port: int, seen: Counter[str], keeps: bool, pause_s: float) -> None:
    """Searches over one kept connection, or one connection each, until the gateway is gone."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except OSError:
            seen["lost"] += 1
            return
        try:
            while await answered(reader, writer, seen) and keeps:
                await asyncio.sleep(pause_s)
        except (OSError, asyncio.IncompleteReadError):
            seen["lost"] += 1
            return
        finally:
            writer.close()


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Counter[str]) -> bool:
    """Whether the connection is kept after one more search."""
    writer.write(SEARCH)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length
    await reader.readexactly(int(length[1]))
    seen[head.split()[1].decode()] += 1
    is_last = b"connection: close" in head.lower()
    seen["last"] += is_last
    return not is_last


@pytest.mark.parametrize("_time", range(2))
async def test_a_stop_under_load_loses_nothing(service: FakeService, _time: int) -> None:
    service.delay_s = 0.05
    seen: Counter[str] = Counter()
    async with gateway(service) as (process, port), asyncio.timeout(60):
        while not seen["200"]:  # it listens before it serves
            await asyncio.sleep(0.1)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await answered(reader, writer, seen)
            writer.close()
        clients = [
            asyncio.create_task(search_until_stopped(port, seen, keeps=number % 2 == 0, pause_s=number / 50))
            for number in range(20)
        ]
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        await asyncio.gather(*clients)
    assert seen["lost"] == 0, seen
    assert set(seen) <= {"200", "last", "lost"}, seen
    assert seen["last"] > 0
