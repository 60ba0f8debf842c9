"""Where traces go, and how they reach the search service. FastAPI makes the spans where they go anywhere."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SERVICE_NAME = "image-search-gateway"
_trace_context = TraceContextTextMapPropagator()


def send_traces(endpoint: str) -> None:
    """From here on, by OTLP over gRPC; what is left goes out when the process ends."""
    # Half a second, which only those wait for who want traces.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE_NAME}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)


def trace_headers(given: Mapping[str, str]) -> dict[str, str]:
    """What says which trace a call belongs to: the one that its request is in here, else the one that it came
    with. given: the request's headers, of which what is not well formed counts as not there."""
    is_traced = trace.get_current_span().get_span_context().is_valid
    headers: dict[str, str] = {}
    _trace_context.inject(headers, None if is_traced else _trace_context.extract(given))
    return headers


def trace_id_of(headers: Mapping[str, str]) -> str:
    """Empty where there is no trace."""
    return headers.get("traceparent", "--").split("-")[1]
