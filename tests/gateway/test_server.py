"""What only a real socket shows: slow and endless clients, HEAD, closed connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest

from gateway import connections, pace, protocol
from gateway.app import create_app
from gateway.middleware import requests
from gateway.settings import Settings
from tests.gateway.fake_service import FakeService
from tests.gateway.serving import listening

JSON_POST = b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"image": "AAAA"}'
SEARCH = JSON_POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
async def port(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(requests, "LINGER_S", 0.3)
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
    monkeypatch.setattr(requests, "LINGER_BYTES", 1_000_000)
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
    monkeypatch.setattr(protocol, "HEADERS_TIMEOUT_S", 0.1)
    async with connection(port) as (reader, writer):
        writer.write(start)
        assert await reader.read() == b""


async def test_headers_that_do_not_come_after_a_request_end_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEADERS_TIMEOUT_S", 0.1)
    async with connection(port) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(b"GET /healthz HTTP/1.1\r\nHo")
        async with asyncio.timeout(4):  # the limit on silence between requests is longer
            await reader.read()


async def test_a_slow_answer_outlives_the_limit_on_headers(
    port: int, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEADERS_TIMEOUT_S", 0.1)
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


UNFINISHED = JSON_POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"


async def test_unfinished_bodies_keep_nobody_out(settings: Settings) -> None:
    few = settings.model_copy(update={"max_concurrent_searches": 2})
    async with listening(create_app(few)) as port, contextlib.AsyncExitStack() as under_way:
        for _ in range(20):
            _, writer = await under_way.enter_async_context(connection(port))
            writer.write(UNFINISHED)
            await writer.drain()
        await asyncio.sleep(0.1)
        assert (await exchange(port, SEARCH))[0] == 200


async def test_a_body_that_stands_still_is_given_up_long_before_the_longest_upload(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PATIENCE_S", 0.2)
    monkeypatch.setattr(requests, "LINGER_S", 0.1)
    async with listening(create_app(settings)) as port, asyncio.timeout(5):
        started = JSON_POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000
        status, _, body = await exchange(port, started)
    assert (status, json.loads(body)["code"]) == (408, "UPLOAD_TIMEOUT")


async def test_a_body_that_comes_steadily_may_take_long(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PATIENCE_S", 0.2)
    async with listening(create_app(settings)) as port, connection(port) as (reader, writer):
        padding = b" " * 2_000
        writer.write(JSON_POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % (20_000 + len(BODY)))
        for _ in range(10):
            writer.write(padding)
            await asyncio.sleep(0.06)
        writer.write(BODY)
        assert parsed(await reader.read())[0] == 200


async def test_idle_connections_make_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)
    async with listening(create_app(settings)) as port, contextlib.AsyncExitStack() as under_way:
        first, _ = await under_way.enter_async_context(connection(port))
        for _ in range(50):
            await under_way.enter_async_context(connection(port))
        assert (await exchange(port, SEARCH))[0] == 200
        async with asyncio.timeout(1):
            assert await first.read() == b""


async def test_busy_connections_are_not_ended_and_newcomers_are_told_to_come_back(
    settings: Settings, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    service.delay_s = 1
    async with listening(create_app(settings)) as port:
        busy = [asyncio.create_task(exchange(port, SEARCH)) for _ in range(4)]
        while len(service.searches) < 4:
            await asyncio.sleep(0.01)
        status, headers, body = await exchange(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (status, json.loads(body)["code"]) == (503, "OVERLOADED")
        assert (headers["connection"], headers["retry-after"]) == ("close", "1")
        assert headers["x-frame-options"] == "deny"
        assert [status for status, _, _ in await asyncio.gather(*busy)] == [200] * 4


async def test_who_does_not_read_the_answer_is_ended(
    settings: Settings, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PATIENCE_S", 0.1)
    monkeypatch.setattr(pace, "MIN_BYTES_PER_S", 10**8)
    service.model_note = "x" * 15_000_000
    app = create_app(settings)
    async with listening(app) as port, connection(port) as (_, writer):
        writer.write(b"GET /index HTTP/1.1\r\nHost: x\r\n\r\n")
        while not service.calls:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(3):
            while len(app.state.connections):
                await asyncio.sleep(0.05)


async def test_who_reads_slowly_gets_the_whole_answer(
    settings: Settings, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PATIENCE_S", 0.1)
    service.model_note = "x" * 15_000_000
    async with listening(create_app(settings)) as port, connection(port) as (reader, writer):
        writer.write(b"GET /index HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(0.5)
        assert len(await reader.read()) > 15_000_000


@pytest.mark.parametrize("request_", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n"])
async def test_what_is_no_http_is_a_problem_like_any_other(port: int, request_: bytes) -> None:
    status, headers, body = await exchange(port, request_)
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    problem = json.loads(body)
    assert (problem["code"], problem["request_id"]) == ("MALFORMED_REQUEST", headers["x-request-id"])
    assert (headers["connection"], headers["x-content-type-options"]) == ("close", "nosniff")


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
    made = protocol.GuardedProtocol.connection_made

    def remembered(self: protocol.GuardedProtocol, transport: asyncio.Transport) -> None:
        made(self, transport)
        sockets.append(transport.get_extra_info("socket"))

    monkeypatch.setattr(protocol.GuardedProtocol, "connection_made", remembered)
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
