"""What is indexed."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.dependencies import ServicesDep
from gateway.openapi import problems
from gateway.schemas import IndexResponse

router = APIRouter(tags=["index"])


@router.get(
    "/index",
    summary="Describe the collection",
    response_model=IndexResponse,
    responses=problems(502, 503, 504),
)
async def index(services: ServicesDep) -> IndexResponse:
    """The live snapshot, its model, and the files that could not be indexed and why."""
    return await services.client.get_index()
