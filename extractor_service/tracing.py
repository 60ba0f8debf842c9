"""Where traces go. Without an endpoint spans cost microseconds, and a caller's trace still has its id."""

from __future__ import annotations

from opentelemetry import trace

SERVICE_NAME = "image-search-extractor"

tracer = trace.get_tracer("extractor_service")


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


def trace_id() -> str:
    """Of the call that is being answered here; empty where its caller traces nothing and nobody else does."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
