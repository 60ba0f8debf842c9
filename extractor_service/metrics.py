"""What Prometheus is told of the service: one set for the process, counted where it happens."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64)

CALLS = Counter(
    "extractor_calls", "Calls by how they ended: OK, or the reason of a refusal.", ("method", "reason")
)
CALL_SECONDS = Histogram(
    "extractor_call_seconds", "Time of a call, to its last message.", ("method",), buckets=SECONDS
)
STAGE_SECONDS = Histogram(
    "extractor_stage_seconds",
    "Time of a search or extraction by stage, waiting in its queue included; extract is the network.",
    ("stage",),
    buckets=SECONDS,
)
UNDER_WAY = Gauge("extractor_under_way", "Searches and extractions under way.")
WAITING = Gauge("extractor_waiting", "Photos that wait for a decoder or for the network.", ("queue",))
BATCH_SIZE = Histogram("extractor_batch_size", "Photos in one run of the network.", buckets=SIZES)
DECODER_DEATHS = Counter(
    "extractor_decoder_deaths", "Decoding processes that ended at their work, by cause.", ("cause",)
)
SNAPSHOT_TIME = Gauge(
    "extractor_snapshot_created_timestamp_seconds", "When the live snapshot was made, in Unix time."
)
SNAPSHOT_IMAGES = Gauge("extractor_snapshot_images", "Images of the live snapshot.")
