"""A web server on loopback with one file, which honours ranges and can be told to misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    content: bytes
    honours_ranges: bool = True
    breaks_after_bytes: int | None = None
    """Cuts the connection once that much of an answer is sent."""
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    """No answer before it is set, which it is from the start."""
    requested_ranges: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    server.answers.set()
    http = _QuietServer(("127.0.0.1", 0), _handler(server))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/models/weights.h5"
    try:
        yield server
    finally:
        server.answers.set()
        http.shutdown()
        thread.join()
        http.server_close()


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has hung up is what some tests are about."""


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answers.wait()
            requested = self.headers.get("Range")
            server.requested_ranges.append(requested)
            if server.status != 200:
                self.send_error(server.status)
                return
            start = 0
            if requested and server.honours_ranges:
                start = int(requested.removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.content):
                self.send_error(416)
                return
            self._send(server.content[start:], partial=start > 0)

        def _send(self, content: bytes, partial: bool) -> None:
            self.send_response(206 if partial else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: server.breaks_after_bytes])

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    return Handler
