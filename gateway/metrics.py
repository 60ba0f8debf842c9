"""What Prometheus is told, one registry an application."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server

from gateway.schemas import Timings

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
KNOWN_METHODS = {"GET", "HEAD", "POST"}


class Metrics:
    """Counts requests by route template, never by path, so that the number of series is bounded."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gateway_requests", "HTTP requests.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "gateway_request_seconds",
            "Time from the request's headers to the end of the response.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._stage_seconds = Histogram(
            "gateway_search_stage_seconds",
            "Time of a search inside the search service, by stage.",
            ("stage",),
            buckets=SECONDS,
            registry=self._registry,
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in KNOWN_METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def observe_search(self, timings: Timings) -> None:
        for stage, milliseconds in timings.model_dump().items():
            self._stage_seconds.labels(stage).observe(milliseconds / 1000)

    def listen(self, host: str, port: int) -> None:
        """Tells what asks there, for as long as the process lives. Raises OSError."""
        start_http_server(port, host, self._registry)

    def exposition(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
