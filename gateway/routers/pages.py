"""The page: its start, the results for indexed images, the results for uploaded ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway import uploads
from gateway.dependencies import Services, ServicesDep
from gateway.errors import GatewayError
from gateway.languages import Language
from gateway.page import MatchView, Page
from gateway.photo_views import PhotoView, indexed_photo, uploaded_photo
from gateway.schemas import QueryImage, QueryPhoto, SearchResponse
from gateway.search_client import Answer, Photo, Query
from gateway.search_options import SearchOptions
from gateway.settings import Settings
from gateway.views import language_of

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SAMPLES = 8
MAX_SEED = 2**31


@router.get("/", name="page")
async def page(request: Request, services: ServicesDep) -> HTMLResponse:
    """The start, or with ids and options the results for those images: every link of the page."""
    try:
        query = uploads.read_address(request.query_params.multi_items())
    except GatewayError as error:
        return services.views.page(request, Page(), error)
    if query is None:
        return await _start(request, services)
    return await _indexed_results(request, services, query)


@router.post("/", name="search_form")
async def search_form(request: Request, services: ServicesDep) -> HTMLResponse:
    """The form: results for the photo in its field `image`, or for several in the fields of a search."""

    async def read(request: Request, settings: Settings) -> Query:
        return _with_points(request, await uploads.read_form(request, settings))

    try:
        query, answer = await services.searcher.search_uploaded(request, read, preview=True)
        photos = await _photo_views(services, query.photos, answer, language_of(request))
    except GatewayError as error:
        return services.views.page(request, Page(), error)
    return await _results(request, services, Page(_shown(query), photos), answer.response)


async def _start(request: Request, services: Services) -> HTMLResponse:
    client, seed = services.client, _seed(request)
    try:
        index = await client.get_index()
        samples = await client.sample_images(SAMPLES, seed) if index.version else []
    except GatewayError as error:
        return services.views.page(request, Page(), error)
    return services.views.page(request, Page(samples=samples, seed=seed, index=index, about=index))


def _seed(request: Request) -> int:
    """Which samples are asked for; those that are shown first where that is no number."""
    others = request.query_params.get("others", "")
    return int(others) % MAX_SEED if others.isdecimal() and others.isascii() and len(others) < 10 else 0


async def _indexed_results(request: Request, services: Services, query: Query) -> HTMLResponse:
    shown = Page(_shown(query))
    try:
        shown = replace(shown, photos=await _indexed_views(services, query.photos))
        answer = await services.searcher.search_indexed(request, _with_points(request, query))
    except GatewayError as error:
        return services.views.page(request, shown, error)
    return await _results(request, services, shown, answer.response)


async def _results(request: Request, services: Services, shown: Page, answer: SearchResponse) -> HTMLResponse:
    results = replace(
        shown,
        answer=answer,
        match=await _match_view(services, shown, answer, _asked_match(request)),
        index=answer.index,
        about=await services.known_index.of(answer.index.version),
    )
    return services.views.page(request, results)


async def _indexed_views(services: Services, photos: Sequence[Photo]) -> list[PhotoView]:
    images = await asyncio.gather(*(services.client.get_image(photo.image_id) for photo in photos))
    return [
        replace(indexed_photo(image), is_negative=photo.is_negative)
        for photo, image in zip(photos, images, strict=True)
    ]


async def _photo_views(
    services: Services, photos: Sequence[Photo], answer: Answer, language: Language
) -> list[PhotoView]:
    """Of uploaded and indexed photos; uploads are numbered where there are several."""
    indexed = iter(await _indexed_views(services, [photo for photo in photos if photo.image_id]))
    response = answer.response
    alone = [response.query] if response.query else []
    seen: Sequence[QueryImage | QueryPhoto] = response.query_photos or alone
    count = sum(not photo.image_id for photo in photos)
    views: list[PhotoView] = []
    for photo, image, preview in zip(photos, seen, answer.previews, strict=True):
        if photo.image_id:
            views.append(next(indexed))
            continue
        number = sum(not view.image_id for view in views) + 1
        alt = language.text("query.upload" if count == 1 else "query.upload.numbered", number=number)
        view = uploaded_photo(preview, image, alt)
        views.append(replace(view, is_negative=photo.is_negative))
    return views


def _asked_match(request: Request) -> str:
    """The id of the result whose match is to be shown; empty for none."""
    return request.query_params.get("match", "")


def _with_points(request: Request, query: Query) -> Query:
    if not _asked_match(request):
        return query
    return replace(query, options=query.options.model_copy(update={"points": True}))


def _shown(query: Query) -> SearchOptions:
    """The options as links carry them on: the page itself knows when points are needed."""
    return query.options.model_copy(update={"points": False})


async def _match_view(
    services: Services, shown: Page, answer: SearchResponse, image_id: str
) -> MatchView | None:
    """None where the result is not asked for, not among the results, or has no match."""
    for hit in answer.results:
        if hit.image_id == image_id and hit.match is not None:
            result = indexed_photo(await services.client.get_image(image_id))
            return MatchView(hit, shown.photos[hit.match.query_photo or 0], result)
    return None
