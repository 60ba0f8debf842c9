"""The application: routes, middleware, and one channel to the search service for as long as it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway import errors, uploads
from gateway.dependencies import Services
from gateway.gate import Gate
from gateway.known_index import KnownIndex
from gateway.metrics import Metrics
from gateway.middleware.head import HeadAsGet
from gateway.middleware.request_context import CLIENT_LEFT, RequestContext
from gateway.middleware.security_headers import SecurityHeaders
from gateway.middleware.unread_body import CloseUnread
from gateway.openapi import openapi_schema
from gateway.problems import problem_response
from gateway.routers import docs, health, images, index, pages, search
from gateway.search_client import SearchClient
from gateway.searcher import Searcher
from gateway.settings import Settings
from gateway.static_files import RevalidatedFiles
from gateway.views import Page, Views

TITLE = "Simple Image Search Engine"
ERROR_BY_STATUS = {404: errors.UnknownPage, 405: errors.MethodNotAllowed}


def create_app(settings: Settings, search_client: SearchClient | None = None) -> FastAPI:
    """The gateway. A client given from outside is used as it is, and left open at the end."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = search_client or SearchClient.connect(settings)
        gate = Gate(
            settings.rate_limit_per_minute,
            settings.max_concurrent_searches,
            uploads.max_body_bytes(settings),
        )
        app.state.services = Services(
            settings=settings,
            client=client,
            searcher=Searcher(settings, client, gate, metrics),
            known_index=KnownIndex(client),
            metrics=metrics,
            views=app.state.views,
        )
        yield
        if search_client is None:
            await client.close()

    app = FastAPI(title=TITLE, version="1.0.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.openapi = partial(openapi_schema, app)  # type: ignore[method-assign]
    app.state.settings = settings
    app.state.views = Views(app)
    _add_routes(app)
    _add_error_handlers(app)
    _add_middleware(app, settings, metrics)
    return app


def _add_routes(app: FastAPI) -> None:
    for module in (pages, search, images, index, health, docs):
        app.include_router(module.router)
    app.mount("/static", RevalidatedFiles(directory=Path(__file__).parent / "static"), name="static")


def _add_middleware(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """The last one added is the outermost."""
    app.add_middleware(RequestContext, metrics=metrics)
    app.add_middleware(CloseUnread)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HeadAsGet)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)


def _add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(errors.GatewayError, _on_gateway_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)


async def _on_gateway_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GatewayError)
    return _answer(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such route, not this method."""
    assert isinstance(error, HTTPException)
    cause = ERROR_BY_STATUS.get(error.status_code, errors.MalformedRequest)
    return _answer(request, cause(), dict(error.headers or {}))


async def _on_validation_error(request: Request, _error: Exception) -> Response:
    return _answer(request, errors.InvalidOption())


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)


def _answer(request: Request, error: errors.GatewayError, headers: dict[str, str] | None = None) -> Response:
    """A page for people, a problem for programs."""
    is_page = request.url.path == "/"
    if is_page or (request.method == "GET" and "text/html" in request.headers.get("accept", "")):
        response: Response = request.app.state.views.page(request, Page(), error)
    else:
        response = problem_response(request, error)
    response.headers.update(headers or {})
    return response
