"""Asks a running service whether it can answer: what a container's health check runs."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from extractor_service.settings import ExtractorSettings

TIMEOUT_S = 5.0
# Listening on every address is not an address to call.
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}


def is_serving(settings: ExtractorSettings, tls_name: str | None = None) -> bool:
    """Whether the service of these settings, on this machine, answers queries.

    tls_name: the name its certificate is made out to, where that is not the host.
    """
    with _channel(settings, tls_name) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _channel(settings: ExtractorSettings, tls_name: str | None) -> grpc.Channel:
    host = _WILDCARDS.get(settings.host, settings.host)
    address = f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"
    if settings.tls_cert_file is None:
        return grpc.insecure_channel(address)
    credentials = grpc.ssl_channel_credentials(settings.tls_cert_file.read_bytes())
    options = [("grpc.ssl_target_name_override", tls_name)] if tls_name else []
    return grpc.secure_channel(address, credentials, options)
