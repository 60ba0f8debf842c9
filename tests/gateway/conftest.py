"""A gateway over a fake search service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import Settings
from tests.gateway.fake_service import FakeService, record_of, served

Connect = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    """Five images."""
    fake = FakeService()
    for number in range(5):
        content = f"photo {number}".encode()
        fake.add(record_of(content, f"set/{number}.jpg"), content, b"thumbnail of " + content)
    async with served(fake):
        yield fake


@pytest.fixture
def settings(service: FakeService) -> Settings:
    return Settings(extractor_address=service.address, search_timeout_s=5)


@pytest.fixture
def connect(settings: Settings) -> Connect:
    """Opens a client of a gateway with some settings changed."""

    @asynccontextmanager
    async def open_client(**changes: object) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(settings.model_copy(update=changes))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, client=("203.0.113.7", 1234))
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                yield client

    return open_client


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect() as opened:
        yield opened
