"""A reverse proxy before a gateway: it serves the gateway under a path, and nothing beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server

from tests.gateway.serving import serving


class Proxy:
    def __init__(self, client: httpx.AsyncClient, root_path: str, strips: bool) -> None:
        """strips: whether the gateway is asked for what follows the path, or for the whole of it."""
        self._client = client
        self._root_path = root_path
        self._strips = strips
        self.strays: list[str] = []
        """What was asked for beside the gateway."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode()
        if not f"{path}/".startswith(f"{self._root_path}/"):
            self.strays.append(path)
            await Response(status_code=404)(scope, receive, send)
            return
        if self._strips:
            path = path.removeprefix(self._root_path) or "/"
        await (await self._answer(request, path))(scope, receive, send)

    async def _answer(self, request: Request, path: str) -> Response:
        """The gateway's own answer, byte for byte."""
        url = self._client.base_url.copy_with(raw_path=f"{path}?{request.url.query}".encode())
        body = await request.body()
        async with self._client.stream(
            request.method, url, headers=request.headers.raw, content=body
        ) as answer:
            response = Response(b"".join([part async for part in answer.aiter_raw()]), answer.status_code)
            response.raw_headers = [(name.lower(), value) for name, value in answer.headers.raw]
        return response


@contextlib.asynccontextmanager
async def proxied(gateway_port: int, root_path: str, *, strips: bool) -> AsyncIterator[tuple[str, Proxy]]:
    """Yields the address of the gateway behind the proxy, without a slash at the end."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway_port}", trust_env=False) as client:
        proxy = Proxy(client, root_path, strips)
        config = Config(proxy, ws="none", lifespan="off", log_config=None, access_log=False)
        async with serving(Server(config)) as port:
            yield f"http://127.0.0.1:{port}{root_path}", proxy
