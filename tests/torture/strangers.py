"""Clients that would stop the others: by costly files, by sending or reading slowly, by idle connections."""

from __future__ import annotations

import itertools
import socket
import statistics
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

import httpx
from PIL import Image

from imagesearch.pictures.readers.png import SIGNATURE, chunk
from tests.extractor_service.serving import png, textured
from tests.imagesearch.pictures.drawn import encoded
from tests.torture.promise import Outcome
from tests.torture.site import Site, site

MOST_SLOWER = 3.0
LEAST_MS = 50.0
"""Below so much, slower is nothing that anybody would notice."""
IDLE = 200
SIDE_PX = 10_000
Stranger = Callable[[Site, str, threading.Event], None]
"""Calls from an address until it is over."""
CHUNKED = (
    b"POST /search HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def hostile_clients(root: Path, short: bool) -> Outcome:
    """A normal client searches alone, then beside two strangers of each kind."""
    outcome, searches = Outcome(), 20 if short else 200
    costly_photos()  # drawn before anything is measured
    with site(root, RATE_LIMIT_PER_MINUTE="0") as here:
        alone = search_times(here, searches, outcome)
        with ExitStack() as strangers:
            for number, stranger in enumerate(
                (costly_files, costly_files, unfinished, unfinished, unread, unread)
            ):
                strangers.enter_context(beside(stranger, here, f"127.0.1.{number + 1}"))
            strangers.enter_context(idle_connections(here, "127.0.2.1"))
            strangers.enter_context(idle_connections(here, "127.0.2.2"))
            time.sleep(3 if short else 10)
            besides = search_times(here, searches, outcome)
    limit_ms = max(MOST_SLOWER * statistics.median(alone), LEAST_MS)
    outcome.check(
        statistics.median(besides) <= limit_ms,
        f"median {statistics.median(besides):.0f} ms beside them, {statistics.median(alone):.0f} ms alone",
    )
    outcome.note = (
        f"median {statistics.median(alone):.0f} ms alone, {statistics.median(besides):.0f} ms beside them"
    )
    return outcome


def search_times(here: Site, searches: int, outcome: Outcome) -> list[float]:
    """In milliseconds."""
    times, photo = [], png(textured(7))
    with here.client() as client:
        for _ in range(searches):
            started = time.monotonic()
            try:
                status = str(client.post("/search", files={"image": photo}).status_code)
            except httpx.TransportError as error:
                status = type(error).__name__
            times.append((time.monotonic() - started) * 1000)
            outcome.check(status == "200", f"a normal search: {status}")
    return times


@contextmanager
def beside(
    stranger: Callable[[Site, str, threading.Event], None], here: Site, address: str
) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=stranger, args=(here, address, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def costly_png(bits: int, colour: int, channels: int) -> bytes:
    """A few megabytes, as many pixels as the limits allow."""
    header = struct.pack(">IIBBBBB", SIDE_PX, SIDE_PX, bits, colour, 0, 0, 0)
    packer, row = zlib.compressobj(1), bytes(1 + channels * SIDE_PX * bits // 8)
    rows = b"".join([*(packer.compress(row) for _ in range(SIDE_PX)), packer.flush()])
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def costly_jpeg() -> bytes:
    """Some hundred kilobytes, with as many scans as an encoder may make and some more."""
    whole = encoded(Image.new("RGB", (SIDE_PX, SIDE_PX), "teal"), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + 3 * last + whole[-2:]


def costly_webp() -> bytes:
    """Four kilobytes that take more memory than anything else."""
    return encoded(Image.new("RGB", (SIDE_PX, SIDE_PX), "teal"), "WebP", lossless=True)


@cache
def costly_photos() -> list[bytes]:
    """Each as slow to decode as its kind may be."""
    rgba, rgba_16, grey_16 = (costly_png(*kind) for kind in ((8, 6, 4), (16, 6, 4), (16, 0, 1)))
    return [rgba, costly_jpeg(), rgba_16, costly_webp(), grey_16]


def costly_files(here: Site, address: str, over: threading.Event) -> None:
    """As many at once as it gets."""

    def ask(first: int) -> None:
        photos = costly_photos()
        with here.client(address) as client:
            for number in itertools.count(first):
                with suppress(httpx.TransportError):
                    client.post("/search", files={"image": photos[number % len(photos)]})
                if over.is_set():
                    return

    threads = [threading.Thread(target=ask, args=(first,), daemon=True) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def unfinished(here: Site, address: str, over: threading.Event) -> None:
    """Bodies that never end, eight at once, a byte now and then."""
    while not over.is_set():
        with ExitStack() as held:
            connections = [held.enter_context(connection(here, address)) for _ in range(8)]
            with suppress(OSError):
                for each in connections:
                    each.sendall(CHUNKED)
                while not over.wait(1):
                    for each in connections:
                        each.sendall(b"1\r\nx\r\n")


def unread(here: Site, address: str, over: threading.Event) -> None:
    """Answers that are asked for and never read."""
    path = f"/images/{here.folder.id_of('000.png')}"
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 50
    while not over.is_set():
        with ExitStack() as held, suppress(OSError):
            for _ in range(20):
                held.enter_context(connection(here, address)).sendall(request)
            over.wait(5)


@contextmanager
def idle_connections(here: Site, address: str) -> Iterator[None]:
    with ExitStack() as held:
        for _ in range(IDLE):
            with suppress(OSError):
                held.enter_context(connection(here, address))
        yield


@contextmanager
def connection(here: Site, address: str) -> Iterator[socket.socket]:
    with socket.create_connection(
        ("127.0.0.1", here.gateway.port), timeout=10, source_address=(address, 0)
    ) as each:
        yield each
