"""The channels to the search service, of which there may be several replicas behind one address."""

from __future__ import annotations

import json
from typing import Any

import grpc

from gateway.settings import Settings
from protos.imagesearch.v1 import search_pb2

# A GetIndex with 1,000 refused files of long paths exceeds gRPC's default of 4 MiB.
MAX_RECEIVE_BYTES = 16 * 2**20
# What a request holds in addition to the pictures.
MESSAGE_SLACK_BYTES = 64 * 2**10
# A service that stops ends calls in UNAVAILABLE or CANCELLED. Calls change nothing, so another replica, or
# the same service started again, may answer them.
RETRIES = {
    "maxAttempts": 3,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}
SERVICE_NAME = search_pb2.DESCRIPTOR.services_by_name["ImageSearchService"].full_name
# Each call goes to the next replica of those that call themselves able to answer: neither to one that still
# loads its index nor to one that is about to stop.
BALANCED = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": SERVICE_NAME},
    "methodConfig": [{"name": [{}], "retryPolicy": RETRIES}],
}
CHANNEL_OPTIONS = (
    # The service is a neighbour: a proxy of the environment is for the world outside.
    ("grpc.enable_http_proxy", 0),
    # Else each original whose client does not read takes 5 MB here, not 0.6 MB: windows grow on a quick line.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES),
    # A restarted search service is found again within seconds; gRPC's default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # So is one that was started beside the others, once a connection ends; by default after half a minute.
    ("grpc.dns_min_time_between_resolutions_ms", 2_000),
)


def balanced_channel(settings: Settings) -> grpc.aio.Channel:
    """To all replicas that call themselves able to answer. Raises OSError when the CA file cannot be read."""
    return _channel(settings, BALANCED)


def any_channel(settings: Settings) -> grpc.aio.Channel:
    """To one replica that listens, able to answer or not. Raises OSError when the CA file cannot be read."""
    return _channel(settings, {})


def _channel(settings: Settings, service_config: dict[str, Any]) -> grpc.aio.Channel:
    options = (
        *CHANNEL_OPTIONS,
        ("grpc.service_config", json.dumps(service_config)),
        # What is not kept whole until it is answered cannot be sent a second time.
        ("grpc.per_rpc_retry_buffer_size", settings.max_upload_bytes + MESSAGE_SLACK_BYTES),
    )
    if settings.extractor_tls_ca_file is None:
        return grpc.aio.insecure_channel(settings.extractor_address, options=options)
    credentials = grpc.ssl_channel_credentials(settings.extractor_tls_ca_file.read_bytes())
    return grpc.aio.secure_channel(settings.extractor_address, credentials, options=options)
