"""The page: what a template is given, and its rendering in the reader's language."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import languages
from gateway.errors import GatewayError
from gateway.languages import Language
from gateway.problems import blanks_of, describe, retry_header
from gateway.schemas import IndexResponse, IndexSummary, Region, SearchOptions, SearchResponse
from gateway.search_client import Answer, IndexedImage, Query

# Browsers show these; others (HEIC) are shown by their thumbnail.
SHOWN_MEDIA_TYPES = {
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
}
# The gallery's classes: width by height in steps of 0.05, within what a row can hold.
RATIO_STEP, MIN_RATIO, MAX_RATIO = 0.05, 0.55, 2.6

DEFAULT_OPTIONS = SearchOptions()

HEADERS = {"Cache-Control": "no-cache, private", "Vary": "Accept, Accept-Language"}


@dataclass(frozen=True, slots=True)
class QueryView:
    """The query as the page shows it. `image_id` and `original_url` are empty where it was uploaded."""

    source: str
    alt: str
    width: int = 0
    height: int = 0
    image_id: str = ""
    original_url: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The one page, in each of its states: start, results, or an error beside either."""

    options: SearchOptions = DEFAULT_OPTIONS
    query: QueryView | None = None
    answer: SearchResponse | None = None
    samples: Sequence[IndexedImage] = ()
    index: IndexSummary | IndexResponse | None = None
    about: IndexResponse | None = None
    # The link that reproduces this page.
    address: str = "/"

    @property
    def can_verify(self) -> bool:
        """Whether results can be verified; yes where it is not known, for the service will tell."""
        return self.about is None or self.about.local_features


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
        self._environment.globals.update(
            link=lambda name, **parameters: str(app.url_path_for(name, **parameters)),
            search_address=search_address,
            ratio_class=ratio_class,
            percent=percent,
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
            {"page": page, "problem": describe(error, language, request) if error else None},
            status=error.status if error else 200,
            headers=retry_header(error) if error else {},
        )

    def render(
        self,
        request: Request,
        template: str,
        context: dict[str, object],
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> HTMLResponse:
        language = language_of(request)
        html = self._environment.get_template(template).render(context, language=language, say=language.text)
        return HTMLResponse(html, status, {**HEADERS, "Content-Language": language.code, **(headers or {})})


def language_of(request: Request) -> Language:
    return languages.preferred(request.headers.get("accept-language", ""))


def uploaded_query(answer: Answer, language: Language) -> QueryView:
    """The preview the service made, inside the page: an upload is kept nowhere."""
    picture = base64.b64encode(answer.previews[0]).decode("ascii")
    query = answer.response.query
    return QueryView(
        f"data:image/webp;base64,{picture}", language.text("query.upload"), query.width, query.height
    )


def indexed_query(image: IndexedImage) -> QueryView:
    is_shown = image.media_type in SHOWN_MEDIA_TYPES
    original_url = f"/images/{image.image_id}"
    return QueryView(
        source=original_url if is_shown else f"/thumbnails/{image.image_id}",
        alt=image.paths[0],
        width=image.width,
        height=image.height,
        image_id=image.image_id,
        original_url=original_url,
    )


def search_address(image_id: str, options: SearchOptions = DEFAULT_OPTIONS) -> str:
    """The link that searches with an indexed image; options at their default are left out."""
    given = options.model_dump(exclude_defaults=True, exclude={"region"})
    parameters = {name: str(value).lower() for name, value in given.items()}
    if options.region is not None:
        parameters["region"] = region_text(options.region)
    return f"/?{urlencode({'image_id': image_id, **parameters}, safe=',')}"


def region_text(region: Region) -> str:
    return ",".join(f"{value:.6g}" for value in (region.x, region.y, region.width, region.height))


def address_of(query: Query) -> str:
    """The link that reproduces a search; the start page's for an upload, which only its owner has."""
    image_id = query.photos[0].image_id
    return search_address(image_id, query.options) if image_id else "/"


def ratio_class(width: int, height: int) -> str:
    """The class of the nearest width-to-height ratio, such as "ratio-135" for 4:3."""
    ratio = min(max(width / max(height, 1), MIN_RATIO), MAX_RATIO)
    return f"ratio-{round(round(ratio / RATIO_STEP) * RATIO_STEP * 100)}"


def percent(score: float) -> str:
    """With one decimal and rounded down, so that it never promises more than was counted."""
    return f"{math.floor(score * 1000 + 1e-9) / 10:.1f}"


def milliseconds(value: float) -> str:
    """Whole from 10 on, with one decimal below."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
