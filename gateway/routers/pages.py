"""The page: its start, the results for an indexed image, the results for an uploaded one."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway import uploads
from gateway.dependencies import Services, ServicesDep
from gateway.errors import GatewayError
from gateway.search_client import Query
from gateway.views import Page, QueryView, address_of, indexed_query, language_of, uploaded_query

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

SAMPLES = 12


@router.get("/", name="page")
async def page(request: Request, services: ServicesDep) -> HTMLResponse:
    """The start, or with `image_id` and options the results for that image: every link of the page."""
    try:
        query = uploads.read_address(request.query_params.multi_items())
    except GatewayError as error:
        return services.views.page(request, Page(), error)
    if query is None:
        return await _start(request, services)
    return await _indexed_results(request, services, query)


@router.post("/", name="search_form")
async def search_form(request: Request, services: ServicesDep) -> HTMLResponse:
    """The form: results for the photo in its field `image`."""
    try:
        query, answer = await services.searcher.search_uploaded(request, uploads.read_form, preview=True)
    except GatewayError as error:
        return services.views.page(request, Page(), error)
    results = Page(
        options=query.options,
        query=uploaded_query(answer, language_of(request)),
        answer=answer.response,
        index=answer.response.index,
        about=await services.known_index.of(answer.response.index.version),
    )
    return services.views.page(request, results)


async def _start(request: Request, services: Services) -> HTMLResponse:
    client = services.client
    try:
        index, samples = await asyncio.gather(client.get_index(), client.sample_images(SAMPLES))
    except GatewayError as error:
        return services.views.page(request, Page(), error)
    return services.views.page(request, Page(samples=samples, index=index, about=index))


async def _indexed_results(request: Request, services: Services, query: Query) -> HTMLResponse:
    address = address_of(query)
    view: QueryView | None = None
    try:
        view = indexed_query(await services.client.get_image(query.photos[0].image_id))
        answer = await services.searcher.search_indexed(request, query)
    except GatewayError as error:
        shown = Page(options=query.options, query=view, address=address)
        return services.views.page(request, shown, error)
    results = Page(
        options=query.options,
        query=view,
        answer=answer.response,
        index=answer.response.index,
        about=await services.known_index.of(answer.response.index.version),
        address=address,
    )
    return services.views.page(request, results)
