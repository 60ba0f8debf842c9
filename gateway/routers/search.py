"""The search of programs: JSON out, a multipart form or JSON in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from gateway.dependencies import ServicesDep
from gateway.openapi import problems
from gateway.schemas import SearchResponse
from gateway.search_options import MAX_PHOTOS, SearchBody

router = APIRouter(tags=["search"])


def _request_body() -> dict[str, Any]:
    """The two forms, for the schema: the handler reads the body itself, to bound it."""
    body = SearchBody.model_json_schema(ref_template="#/components/schemas/{model}")
    body.pop("$defs")
    properties = body["properties"]
    file = {"type": "string", "format": "binary"}
    files = {"type": "array", "items": file, "maxItems": MAX_PHOTOS}
    form = {
        "type": "object",
        "properties": {
            **properties,
            "image": {**file, "description": "The image file."},
            "images": {**files, "description": properties["images"]["description"]},
            "not_images": {**files, "description": properties["not_images"]["description"]},
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

    Several photos count as one query, up to 8: `images` and `image_ids` that the results resemble,
    `not_images` and `not_image_ids` that they do not resemble, in a form each a repeated field. Their
    descriptors are combined, so that distances are those to the combination; none is its own result. The
    files together may be as large as a single one.

    With `verify`, results in which the query was found move ahead, with `localize` those of which a part
    answers it best, so that distances need not ascend. Of several photos each positive one is looked for;
    `match` tells of the one with most inliers.
    """
    _, answer = await services.searcher.search_uploaded(request)
    return answer.response
