"""What is indexed."""

from __future__ import annotations

import csv
import io
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.collection_schemas import FoldersResponse, IndexResponse, RefusedResponse
from gateway.dependencies import ServicesDep
from gateway.openapi import problems

router = APIRouter(tags=["index"])

TEXT = {"schema": {"type": "string"}}


@router.get(
    "/index",
    summary="Describe the collection",
    response_model=IndexResponse,
    responses=problems(502, 503, 504),
)
async def index(services: ServicesDep) -> IndexResponse:
    """The live snapshot, its model, and the files that could not be indexed and why."""
    return await services.client.get_index()


@router.get(
    "/folders",
    name="folders",
    summary="List folders",
    response_model=FoldersResponse,
    responses={200: {"content": {"text/html": TEXT}}, **problems(502, 503, 504)},
)
async def folders(request: Request, response: Response, services: ServicesDep) -> FoldersResponse | Response:
    """The folders of the indexed photos, and how many photos are in each; as a page where `Accept` asks for
    HTML."""
    found = await services.client.list_folders()
    if _accepts(request, "text/html"):
        return services.views.render(request, "folders.html", {"found": found})
    response.headers["Vary"] = "Accept"
    return found


@router.get(
    "/refused",
    name="refused",
    summary="List refused files",
    response_model=RefusedResponse,
    responses={
        200: {"content": {"text/csv": TEXT, "text/html": TEXT}},
        **problems(422, 502, 503, 504),
    },
)
async def refused(
    request: Request,
    response: Response,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=1_000, description="At most this many.")] = 1_000,
    offset: Annotated[int, Query(ge=0, lt=2**63, description="How many to leave out first.")] = 0,
) -> RefusedResponse | Response:
    """The files that could not be indexed and why, in order of path; as CSV with `Accept: text/csv`.

    As a page where `Accept` asks for HTML."""
    found = await services.client.list_refused(limit, offset)
    if _accepts(request, "text/html"):
        context = {"found": found, "limit": limit, "offset": offset}
        return services.views.render(request, "refused.html", context)
    response.headers["Vary"] = "Accept"
    if _accepts(request, "text/csv"):
        return Response(_csv(found), media_type="text/csv", headers={"Vary": "Accept"})
    return found


def _accepts(request: Request, media_type: str) -> bool:
    return media_type in request.headers.get("accept", "")


def _csv(page: RefusedResponse) -> str:
    """As RFC 4180 says, with a header."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["path", "reason", "detail"])
    writer.writerows([file.path, file.reason, file.detail] for file in page.refused)
    return text.getvalue()
