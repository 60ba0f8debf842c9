"""What only a real socket shows: slow and endless clients, HEAD, closed connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest

from gateway import server
from gateway.app import create_app
from gateway.middleware import unread_body
from gateway.settings import Settings
from tests.gateway.fake_service import FakeService
from tests.gateway.serving import listening

JSON_POST = b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
async def port(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(unread_body, "LINGER_S", 0.3)
    small = settings.model_copy(update={"max_upload_bytes": 100_000, "upload_timeout_s": 0.3})
    async with listening(create_app(small)) as number:
        yield number


@contextlib.asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def exchange(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer; waits until the server closes the connection."""
    async with connection(port) as (reader, writer):
        writer.write(request)
        return parsed(await reader.read())


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


async def test_an_endless_chunked_body_is_refused_at_the_limit_and_the_connection_ends(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_body, "LINGER_BYTES", 1_000_000)
    async with connection(port) as (reader, writer):
        writer.write(JSON_POST + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while True:
                writer.write(chunk)
                await writer.drain()
                sent += len(chunk)
                assert sent < 100_000_000


async def test_a_client_that_sends_too_much_still_reads_why(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(JSON_POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
        await writer.drain()
        status, headers, body = parsed(await reader.read())
        assert (status, headers["connection"]) == (413, "close")
        assert json.loads(body)["code"] == "TOO_MANY_BYTES"


async def test_a_client_that_asks_before_sending_is_refused_without_a_byte(port: int) -> None:
    status, headers, body = await exchange(
        port, JSON_POST + b"Content-Length: 3000000\r\nExpect: 100-continue\r\n\r\n"
    )
    assert status == 413
    assert json.loads(body)["code"] == "TOO_MANY_BYTES"


async def test_a_body_that_comes_too_slowly_is_given_up(port: int) -> None:
    status, headers, body = await exchange(port, JSON_POST + b"Content-Length: 1000\r\n\r\n{")
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body)["code"] == "UPLOAD_TIMEOUT"


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost:"])
async def test_headers_that_do_not_come_end_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(server, "HEADERS_TIMEOUT_S", 0.1)
    async with connection(port) as (reader, writer):
        writer.write(start)
        assert await reader.read() == b""


async def test_headers_that_do_not_come_after_a_request_end_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEADERS_TIMEOUT_S", 0.1)
    async with connection(port) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(b"GET /healthz HTTP/1.1\r\nHo")
        async with asyncio.timeout(4):  # the limit on silence between requests is longer
            await reader.read()


async def test_a_slow_answer_outlives_the_limit_on_headers(
    port: int, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEADERS_TIMEOUT_S", 0.1)
    service.delay_s = 0.4
    status, _, _ = await exchange(port, b"GET /index HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status == 200


async def test_a_connection_serves_several_requests(port: int) -> None:
    once = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with connection(port) as (reader, writer):
        writer.write(once + once + last)
        assert (await reader.read()).count(b"HTTP/1.1 200") == 3


async def test_head_is_get_without_the_body(port: int, service: FakeService) -> None:
    address = f"/images/{service.images[0].image_id}".encode()
    request = b" %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % address
    _, by_get, content = await exchange(port, b"GET" + request)
    status, by_head, nothing = await exchange(port, b"HEAD" + request)
    assert (status, nothing, content) == (200, b"", b"photo 0")
    for name in ("content-length", "content-type", "etag"):
        assert by_head[name] == by_get[name]


async def test_a_client_that_leaves_takes_its_search_with_it(port: int, service: FakeService) -> None:
    service.delay_s = 30
    body = b'{"image": "AAAA"}'
    async with connection(port) as (_, writer):
        writer.write(JSON_POST + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        while not service.searches:
            await asyncio.sleep(0.01)
    while not service.cancelled:
        await asyncio.sleep(0.01)


async def test_nobody_learns_the_servers_name(port: int) -> None:
    _, headers, _ = await exchange(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert "uvicorn" not in str(headers)


async def test_the_body_of_an_answer_does_not_wait_for_its_head_to_be_acknowledged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = []
    made = server.TimedProtocol.connection_made

    def remembered(self: server.TimedProtocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        sockets.append(transport.get_extra_info("socket"))

    monkeypatch.setattr(server.TimedProtocol, "connection_made", remembered)
    async with listening(create_app(settings)) as port, connection(port) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()
        assert [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets] == [1]


async def test_an_original_that_breaks_off_is_no_whole_answer(port: int, service: FakeService) -> None:
    service.torn = True
    address = f"/images/{service.images[0].image_id}".encode()
    async with connection(port) as (reader, writer):
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % address)
        status, headers, body = parsed(await reader.read())  # the server closes, though it was not asked to
    assert (status, headers["content-length"]) == (200, "7")
    assert body == b"phot"


async def test_a_client_that_leaves_ends_the_call_for_its_original(port: int, service: FakeService) -> None:
    image_id = service.images[0].image_id
    service.files[image_id] = bytes(50_000_000)
    service.chunk_bytes = 100_000
    async with connection(port) as (reader, writer):
        writer.write(b"GET /images/%s HTTP/1.1\r\nHost: x\r\n\r\n" % image_id.encode())
        await reader.readexactly(1_000)
        assert service.cancelled == 0
    async with asyncio.timeout(20):
        while not service.cancelled:
            await asyncio.sleep(0.01)


async def test_a_head_of_an_original_is_its_head(port: int, service: FakeService) -> None:
    image_id = service.images[0].image_id
    service.files[image_id] = bytes(50_000_000)
    request = b"HEAD /images/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % image_id.encode()
    status, headers, body = await exchange(port, request)
    assert (status, headers["content-length"], body) == (200, "50000000", b"")
