"""What a supervisor asks."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.dependencies import ServicesDep
from gateway.openapi import problems
from gateway.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive", response_model=Health)
async def healthz() -> Health:
    """The gateway itself runs."""
    return Health(status="alive")


@router.get("/readyz", summary="Ready", response_model=Health, responses=problems(503, 504))
async def readyz(services: ServicesDep) -> Health:
    """A query would be answered: the search service has an index and has passed its known-answer query."""
    await services.client.check_serving()
    return Health(status="ready")
