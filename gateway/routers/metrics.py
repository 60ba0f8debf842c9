"""What Prometheus asks, where it has no port of its own."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.dependencies import ServicesDep

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="Metrics", response_class=Response)
async def metrics(services: ServicesDep) -> Response:
    """In Prometheus' text format."""
    return Response(services.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
