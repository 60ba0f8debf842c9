from __future__ import annotations

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from tests.gateway.conftest import Connect
from tests.gateway.fake_service import Failure, FakeService


async def test_alive_needs_nobody_else(connect: Connect) -> None:
    async with connect(extractor_address="127.0.0.1:1") as client:
        response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_ready_follows_the_search_service(client: httpx.AsyncClient, service: FakeService) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    await service.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["detail"] == (
        "The search service is starting or cannot be reached. Try again in a moment."
    )


async def test_not_ready_where_the_search_service_is_out_of_reach(connect: Connect) -> None:
    async with connect(extractor_address="127.0.0.1:1") as client:
        assert (await client.get("/readyz")).status_code == 503


async def test_not_ready_where_the_search_service_does_not_know_the_token(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.failure = Failure(grpc.StatusCode.UNAUTHENTICATED)
    assert (await client.get("/readyz")).status_code == 503


async def test_metrics_count_requests_by_route_and_searches_by_stage(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    await client.post("/search", files={"image": b"photo"})
    await client.get(f"/images/{service.images[0].image_id}")
    await client.get("/nowhere/at/all")
    await client.request("BREW", "/healthz")
    text = (await client.get("/metrics")).text
    for line in (
        'gateway_requests_total{method="POST",route="/search",status="200"} 1.0',
        'gateway_requests_total{method="GET",route="/images/{image_id}",status="200"} 1.0',
        'gateway_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'gateway_search_stage_seconds_sum{stage="extract"} 0.021',
        'gateway_request_seconds_count{route="/search"} 1.0',
    ):
        assert line in text
    assert 'method="other"' in text
    assert "BREW" not in text


async def test_each_application_counts_for_itself(connect: Connect) -> None:
    async with connect() as first, connect() as second:
        await first.get("/healthz")
        assert "/healthz" not in (await second.get("/metrics")).text


@pytest.mark.parametrize("address", ["/index", "/docs", "/openapi.json", "/metrics"])
async def test_what_describes_the_service_is_there(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.get(address)).status_code == 200
