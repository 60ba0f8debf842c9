"""Each call as it is seen by those who run the service: traced, counted, timed, and logged by its request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from extractor_service.metrics import CALL_SECONDS, CALLS, STAGE_SECONDS
from extractor_service.search.caller import Caller, current_caller
from extractor_service.search.queries import STAGES, Timings
from extractor_service.tracing import tracer

logger = logging.getLogger(__name__)

OK = "OK"
_trace_context = TraceContextTextMapPropagator()


@dataclass(slots=True)
class Ending:
    """How a call ended: OK, or the reason why not."""

    reason: str = OK


@contextmanager
def observed(method: str, context: Any) -> Iterator[Ending]:
    """From here on logs and traces know the caller. method: its full name. Who ends the call otherwise than
    well says so in what is yielded."""
    name, started = method.rpartition("/")[2], time.perf_counter()
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    caller = _caller(metadata, str(context.peer()))
    current_caller.set(caller)
    ending = Ending()
    with tracer.start_as_current_span(
        name, _trace_context.extract(metadata), SpanKind.SERVER, set_status_on_exception=False
    ) as span:
        try:
            yield ending
        except asyncio.CancelledError:
            ending.reason = "CANCELLED"
            raise
        finally:
            _tell(span, name, ending.reason, time.perf_counter() - started)


def count_stages(timings: Timings) -> None:
    for stage in STAGES:
        STAGE_SECONDS.labels(stage).observe(getattr(timings, f"{stage}_ms") / 1_000)


def _tell(span: Span, name: str, reason: str, seconds: float) -> None:
    CALLS.labels(name, reason).inc()
    CALL_SECONDS.labels(name).observe(seconds)
    request_id = current_caller.get().request_id
    span.set_attributes({"request_id": request_id, "reason": reason})
    if reason != OK:
        span.set_status(StatusCode.ERROR, reason)
    level = logging.DEBUG if reason == OK else logging.INFO
    logger.log(level, "%s: %s in %.1f ms, request %s", name, reason, seconds * 1_000, request_id or "-")


def _caller(metadata: dict[str, str], peer: str) -> Caller:
    """As the gateway says; who calls without one is known by address."""
    address = peer.rpartition(":")[0]
    return Caller(metadata.get("x-client", address)[:64], metadata.get("x-request-id", "")[:64])
