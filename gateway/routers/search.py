"""The search of programs: JSON out, a multipart form or JSON in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from gateway.dependencies import ServicesDep
from gateway.routers.documented import problems
from gateway.schemas import SearchBody, SearchResponse

router = APIRouter(tags=["search"])


def _request_body() -> dict[str, Any]:
    """The two forms, for the schema: the handler reads the body itself, to bound it."""
    body = SearchBody.model_json_schema(ref_template="#/components/schemas/{model}")
    body.pop("$defs")
    properties = {name: schema for name, schema in body["properties"].items() if name != "image_id"}
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {
            **properties,
            "image": {"type": "string", "format": "binary", "description": "The image file."},
            "region": {"type": "string", "description": "x, y, width and height, comma-separated."},
        },
    }
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": body}},
    }


@router.post(
    "/search",
    summary="Search with a photo",
    response_model=SearchResponse,
    responses=problems(400, 404, 408, 413, 415, 422, 429, 502, 503, 504),
    openapi_extra={"requestBody": _request_body()},
)
async def search(request: Request, services: ServicesDep) -> SearchResponse:
    """Finds the indexed images nearest to an image file or to an indexed image, nearest first.

    With `verify`, results in which the query was found move ahead, so that distances need not ascend.
    """
    _, answer = await services.searcher.search_uploaded(request)
    return answer.response
