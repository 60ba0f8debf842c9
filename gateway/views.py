"""Renders pages in the reader's language."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import languages
from gateway.addresses import search_address
from gateway.collection_schemas import Indexing
from gateway.errors import GatewayError
from gateway.languages import Language
from gateway.middleware.root_path import route_path
from gateway.page import Page
from gateway.problems import blanks_of, describe
from gateway.static_files import MODULES, VERSION
from gateway.tiles import ratio_class, thumbnail_sources

HEADERS = {"Cache-Control": "no-cache, private", "Vary": "Accept, Accept-Language"}


class Views:
    """Renders pages. One for each application, because links are looked up in it."""

    def __init__(self, app: FastAPI) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        root_path = app.state.settings.root_path
        self._environment.filters["rooted"] = partial(rooted, root_path=root_path)
        self._environment.globals.update(
            asset=lambda path: f"{root_path}/static/{VERSION}/{path}",
            modules=MODULES,
            link=lambda name, **parameters: root_path + app.url_path_for(name, **parameters),
            search_address=search_address,
            ratio_class=ratio_class,
            thumbnail_sources=thumbnail_sources,
            percent=percent,
            indexing_words=indexing_words,
            milliseconds=milliseconds,
            max_upload_bytes=app.state.settings.max_upload_bytes,
            limits=blanks_of(app.state.settings),
        )

    def page(self, request: Request, page: Page, error: GatewayError | None = None) -> HTMLResponse:
        """The page, with the error's status and headers where there is one."""
        language = language_of(request)
        return self.render(
            request,
            "page.html",
            {
                "page": page,
                "problem": describe(error, language, request) if error else None,
                "again": _address(request) if request.method == "GET" else "",
            },
            status=error.status if error else 200,
            headers=error.headers if error else {},
        )

    def render(
        self,
        request: Request,
        template: str,
        context: dict[str, object],
        status: int = 200,
        headers: dict[str, str] | None = None,
        language: Language | None = None,
    ) -> HTMLResponse:
        """In the reader's language, unless the text of the template is in another one."""
        language = language or language_of(request)
        html = self._environment.get_template(template).render(context, language=language, say=language.text)
        return HTMLResponse(html, status, {**HEADERS, "Content-Language": language.code, **(headers or {})})


def language_of(request: Request) -> Language:
    return languages.preferred(request.headers.get("accept-language", ""))


def _address(request: Request) -> str:
    """The path and what follows it, without what a proxy puts before."""
    query = request.url.query
    path = "/" + route_path(request.scope).lstrip("/")  # two would name another host
    return path + (f"?{query}" if query else "")


def rooted(address: str, root_path: str) -> str:
    """An address of the gateway below the path that a proxy serves it under; others as they are."""
    return root_path + address if address.startswith("/") else address


def indexing_words(language: Language, indexing: Indexing) -> str:
    """How far the indexer is, and about how long it will take, in one line."""
    key = f"indexing.{indexing.phase}"
    words = language.text(
        key if language.has(key) else "indexing.other", done=f"{indexing.done:,}", total=f"{indexing.total:,}"
    )
    if not indexing.per_second:
        return words
    minutes = (indexing.total - indexing.done) / indexing.per_second / 60
    if minutes <= 1:
        return f"{words} · {language.text('indexing.soon')}"
    if minutes < 100:
        return f"{words} · {language.count('indexing.minutes', round(minutes))}"
    return f"{words} · {language.count('indexing.hours', round(minutes / 60))}"


def percent(score: float) -> str:
    """With one decimal and rounded down, so that it never promises more than was counted."""
    return f"{math.floor(score * 1000 + 1e-9) / 10:.1f}"


def milliseconds(value: float) -> str:
    """Whole from 10 on, with one decimal below."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
