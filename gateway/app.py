"""The application: routes, middleware, and one channel to the search service for as long as it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway import __version__, uploads
from gateway.connections import Connections, most_connections
from gateway.dependencies import Services
from gateway.error_handlers import add_error_handlers
from gateway.gate import Gate
from gateway.known import KnownIndex, KnownThumbnails
from gateway.metrics import Metrics
from gateway.middleware.admission import Admission
from gateway.middleware.api_key import ApiKey
from gateway.middleware.browser_safety import AllowedHosts, SecurityHeaders
from gateway.middleware.last_answers import LastAnswers
from gateway.middleware.request_context import RequestContext
from gateway.middleware.requests import CloseUnread, HeadAsGet
from gateway.middleware.root_path import RootPath
from gateway.openapi import openapi_schema
from gateway.routers import docs, duplicates, health, images, index, metrics, pages, photos, search, selection
from gateway.search_client import SearchClient
from gateway.searcher import Searcher
from gateway.settings import Settings
from gateway.static_files import VersionedFiles
from gateway.views import Views

COMPRESSED_FROM_BYTES = 1000
# Compressed already, all but BMP, which browsers hardly send for.
PICTURES = ("image/*", "application/octet-stream")
TITLE = "Simple Image Search Engine"


def create_app(settings: Settings, search_client: SearchClient | None = None) -> FastAPI:
    """The gateway. A client given from outside is used as it is, and left open at the end."""
    measured = Metrics()
    gate = Gate(settings, uploads.max_body_bytes(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = search_client or SearchClient.connect(settings)
        app.state.services = Services(
            settings=settings,
            client=client,
            searcher=Searcher(settings, client, gate, measured),
            known_index=KnownIndex(client),
            known_thumbnails=KnownThumbnails(client),
            metrics=measured,
            views=app.state.views,
        )
        yield
        if search_client is None:
            await client.close()

    app = FastAPI(title=TITLE, version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.openapi = partial(openapi_schema, app)  # type: ignore[method-assign]
    app.state.settings = settings
    app.state.views = Views(app)
    app.state.connections = Connections(most_connections(), settings.trusted_networks)
    app.state.metrics = measured
    _add_routes(app, settings)
    add_error_handlers(app)
    _add_middleware(app, settings, measured, gate)
    return app


def _add_routes(app: FastAPI, settings: Settings) -> None:
    for module in (pages, photos, selection, search, images, index, duplicates, health, metrics, docs):
        if module is not metrics or settings.metrics_port is None:
            app.include_router(module.router)
    app.mount("/static", VersionedFiles(), name="static")


def _add_middleware(app: FastAPI, settings: Settings, measured: Metrics, gate: Gate) -> None:
    """The last one added is the outermost."""
    app.add_middleware(Admission, gate=gate)
    if key := settings.api_key.get_secret_value():
        app.add_middleware(ApiKey, key=key, gate=gate)
    app.add_middleware(AllowedHosts, allowed=frozenset(settings.allowed_host_names))
    app.add_middleware(
        GZipMiddleware,
        minimum_size=COMPRESSED_FROM_BYTES,
        compresslevel=6,
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *PICTURES),
    )
    app.add_middleware(RequestContext, metrics=measured)
    app.add_middleware(CloseUnread)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(LastAnswers, connections=app.state.connections)
    app.add_middleware(HeadAsGet)
    if settings.root_path:
        app.add_middleware(RootPath, root_path=settings.root_path)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
