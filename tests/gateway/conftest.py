"""A gateway over a fake search service, its photos real files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import Settings
from tests.gateway.fake_service import FakeService, record_of, served

Connect = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    """Five images, whose files and thumbnails lie in tmp_path/photos and tmp_path/store."""
    contents = {f"set/{number}.jpg": f"photo {number}".encode() for number in range(5)}
    images = [record_of(content, path) for path, content in contents.items()]
    for image, (path, content) in zip(images, contents.items(), strict=True):
        write(tmp_path / "photos" / path, content)
        write(tmp_path / "store" / image.thumbnail_path, b"thumbnail of " + content)
    async with served(FakeService(images=images)) as fake:
        yield fake


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def settings(service: FakeService, tmp_path: Path) -> Settings:
    return Settings(
        extractor_address=service.address,
        images_dir=tmp_path / "photos",
        store_dir=tmp_path / "store",
        search_timeout_s=5,
    )


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
