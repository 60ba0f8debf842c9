"""One search from admission to measurement: what the page and the JSON route share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway import uploads
from gateway.body_meter import metered
from gateway.gate import Gate
from gateway.metrics import Metrics
from gateway.search_client import Answer, Query, SearchClient
from gateway.settings import Settings

Result = TypeVar("Result")
Reader = Callable[[Request, Settings], Awaitable[Query]]


class Searcher:
    """Admits a request, reads its query, and has it answered."""

    def __init__(self, settings: Settings, client: SearchClient, gate: Gate, metrics: Metrics) -> None:
        self._settings = settings
        self._client = client
        self._gate = gate
        self._metrics = metrics

    async def search_uploaded(
        self, request: Request, read: Reader = uploads.read_search, *, preview: bool = False
    ) -> tuple[Query, Answer]:
        """Answers the query in the request's body, which takes no place of a search while it arrives."""
        host = _host(request)
        self._gate.count_search(host)
        with self._gate.body(host) as take:
            query = await read(metered(request, take), self._settings)
            with self._gate.search(host):
                return query, await self._answer(request, query, preview)

    async def search_indexed(self, request: Request, query: Query) -> Answer:
        """Answers a query of the request's address."""
        self._gate.count_search(_host(request))
        with self._gate.search(_host(request)):
            return await self._answer(request, query, preview=False)

    async def _answer(self, request: Request, query: Query, preview: bool) -> Answer:
        answer = await _while_connected(request, self._client.search(query, preview=preview))
        self._metrics.observe_search(answer.response.timings_ms)
        if query.options.sort == "date":
            # Texts of dates sort as the dates do, and none comes before all.
            answer.response.results.sort(key=lambda hit: hit.taken_at or "", reverse=True)
        return answer


def _host(request: Request) -> str | None:
    return request.client.host if request.client else None


async def _while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Ends the work, and with it the call to the service, when nobody waits for its result any more."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_wait_for_disconnect(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
