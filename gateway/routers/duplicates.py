"""Near-identical photos of the whole collection, as a page or as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.collection_schemas import DuplicateKind, DuplicatesResponse
from gateway.dependencies import ServicesDep
from gateway.openapi import problems

router = APIRouter(tags=["index"])


@router.get(
    "/duplicates",
    name="duplicates",
    summary="List duplicates",
    response_model=DuplicatesResponse,
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}}}},
        **problems(422, 502, 503, 504),
    },
)
async def duplicates(
    request: Request,
    response: Response,
    services: ServicesDep,
    kind: Annotated[
        DuplicateKind | None, Query(description="Left out: the closest of which there is a group.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="At most this many groups.")] = 30,
    offset: Annotated[int, Query(ge=0, lt=2**63, description="How many to leave out first.")] = 0,
) -> DuplicatesResponse | Response:
    """Groups of near-identical photos, the largest first; as a page where `Accept` asks for HTML.

    `identical`: the same bytes or pixels. `altered`: one picture, edited, scaled, cut or mirrored. `similar`:
    another shot of the same. Of each group `keep` suggests the one that should stay. Nothing is deleted.
    """
    found = await services.client.list_duplicates(kind, limit, offset)
    if "text/html" not in request.headers.get("accept", ""):
        response.headers["Vary"] = "Accept"
        return found
    return services.views.render(
        request, "duplicates.html", {"found": found, "limit": limit, "offset": offset}
    )
