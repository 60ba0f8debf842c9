"""A running system as those see it who run it: both services in one trace, in both logs, and in figures."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.extractor_service.serving import png, textured
from tests.torture.site import Site, site, wait_for

ANSWERED, REFUSED = "0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736"
"""Ids of the traces that two searches belong to."""
PHOTOS = 5
STAGES = {"decode", "extract", "search", "verify", "total"}


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes traces as those do that are made for it."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = {}
        """By the service that they are of."""

    def Export(self, request: trace_service_pb2.ExportTraceServiceRequest, context: Any) -> Any:  # noqa: N802
        for each in request.resource_spans:
            [name] = [a.value.string_value for a in each.resource.attributes if a.key == "service.name"]
            spans = self.spans.setdefault(name, [])
            spans.extend(span for scope in each.scope_spans for span in scope.spans)
        return trace_service_pb2.ExportTraceServiceResponse()

    def of(self, trace_id: str) -> dict[str, dict[str, Span]]:
        """By service and name."""
        return {
            service: {span.name: span for span in spans if span.trace_id.hex() == trace_id}
            for service, spans in self.spans.items()
        }

    @contextmanager
    def listening(self) -> Iterator[str]:
        server = grpc.server(ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop(None)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def figures(port: str) -> dict[tuple[str, ...], float]:
    """By name and the values of the labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def search(client: httpx.Client, content: bytes, trace_id: str) -> int:
    """The status of the answer."""
    traced = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    return client.post("/search", files={"image": content}, headers=traced).status_code


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    return {"service": free_port(), "gateway": free_port()}


@pytest.fixture(scope="module")
def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, str], collector: Collector
) -> Iterator[Site]:
    """After one search that was answered, and one that was refused."""
    with collector.listening() as endpoint, pytest.MonkeyPatch.context() as environment:
        environment.setenv("LOG_FORMAT", "json")
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        environment.setenv("EXTRACTOR_METRICS_PORT", ports["service"])
        with (
            site(tmp_path_factory.mktemp("site"), PHOTOS, METRICS_PORT=ports["gateway"]) as running,
            running.client() as client,
        ):
            assert search(client, png(textured(3)), ANSWERED) == 200
            assert search(client, b"no photo", REFUSED) == 415
            assert client.get("/metrics").status_code == 404
            yield running


def test_a_clients_trace_holds_both_services_and_each_stage(here: Site, collector: Collector) -> None:
    wait_for(lambda: "Search" in collector.of(ANSWERED).get("image-search-extractor", {}))
    wait_for(lambda: "POST /search" in collector.of(ANSWERED).get("image-search-gateway", {}))
    gateway, service = (collector.of(ANSWERED)[f"image-search-{name}"] for name in ("gateway", "extractor"))
    assert service["Search"].parent_span_id == gateway["POST /search"].span_id
    assert service.keys() >= STAGES
    assert service["search"].parent_span_id == service["total"].span_id


def test_both_logs_name_the_request_and_its_trace(here: Site) -> None:
    def refusals(log: Path) -> list[dict[str, Any]]:
        return [line for line in lines_of(log) if line.get("trace_id") == REFUSED]

    wait_for(lambda: bool(refusals(here.gateway.log)))
    [answered], [refused] = refusals(here.gateway.log), refusals(here.service.log)
    assert (answered["method"], answered["path"], answered["status"]) == ("POST", "/search", 415)
    assert refused["request_id"] == answered["request_id"]
    assert refused["message"].startswith("Search: UNSUPPORTED_IMAGE_TYPE in ")


def test_the_service_tells_how_it_does_on_a_port_of_its_own(here: Site, ports: dict[str, str]) -> None:
    told = figures(ports["service"])
    assert told["extractor_calls_total", "Search", "OK"] == 1
    assert told["extractor_calls_total", "Search", "UNSUPPORTED_IMAGE_TYPE"] == 1
    assert told["extractor_stage_seconds_count", "extract"] == 1
    assert told["extractor_batch_size_count",] >= 1
    assert (told["extractor_waiting", "decoder"], told["extractor_under_way",]) == (0, 0)
    assert told["extractor_snapshot_images",] == PHOTOS
    assert told["extractor_snapshot_created_timestamp_seconds",] > 1.7e9


def test_the_gateways_figures_may_have_a_port_of_their_own(here: Site, ports: dict[str, str]) -> None:
    assert figures(ports["gateway"])["gateway_requests_total", "POST", "/search", "200"] == 1
