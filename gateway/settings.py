"""The gateway's settings: the environment, read once at the entry point."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.logs import LogFormat

# No part begins with a dot: browsers resolve "." and "..".
ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
# What the gateway's own paths begin with.
OWN_PATHS = {
    "docs",
    "duplicates",
    "folder",
    "folders",
    "healthz",
    "images",
    "index",
    "photo",
    "metrics",
    "openapi.json",
    "readyz",
    "refused",
    "search",
    "selection.csv",
    "selection.zip",
    "static",
    "thumbnails",
}


class Settings(BaseSettings):
    """Each field is the environment variable GATEWAY_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 for all networks."
    )
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    extractor_address: str = Field(
        default="127.0.0.1:50051",
        min_length=1,
        description="Where the search service listens, host:port, or a target of gRPC such as "
        "dns:///host:port; every address of the host is a replica.",
    )
    extractor_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token of the search service; empty: none."
    )
    extractor_tls_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the search service's certificate; unset: no TLS.",
    )
    max_upload_bytes: int = Field(
        default=10 * 2**20,
        ge=1,
        description="Largest accepted picture, or pictures of one search together, in bytes.",
    )
    max_pixels: int = Field(
        default=110_000_000, ge=1, description="Largest accepted picture, width times height in pixels."
    )
    upload_timeout_s: float = Field(
        default=60.0, gt=0, description="Longest time for a request body to arrive, in seconds."
    )
    search_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="Longest wait for an answer of the search service, and for each part of an original, "
        "in seconds.",
    )
    max_concurrent_searches: int = Field(
        default=64,
        ge=1,
        description="Searches under way at once: of one client at most half, of the next half of the rest; "
        "further ones get 503 and a time to retry.",
    )
    rate_limit_per_minute: int = Field(
        default=600, ge=0, description="Searches per minute and client, with bursts of as many; 0: no limit."
    )
    read_rate_limit_per_minute: int = Field(
        default=6000,
        ge=0,
        description="Pages, pictures and descriptions per minute and client, with bursts of as many; "
        "0: no limit.",
    )
    allowed_hosts: str = Field(
        default="",
        description="Comma-separated public names under which the gateway answers, or *. Addresses, names "
        "without a dot and .local names always do.",
    )
    root_path: str = Field(
        default="",
        description="Path under which a proxy serves the gateway, such as /photos, whether it strips the "
        "path from requests or not.",
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key that every route but /healthz asks for, as a bearer token or as the password of "
        "HTTP Basic with any name; unset: none.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed.",
    )
    log_format: LogFormat = Field(
        default="text",
        validation_alias="LOG_FORMAT",
        description="How messages are logged: text, a line for people, or json, an object a line.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="TCP port that tells Prometheus the metrics, at the same address, in place of /metrics; "
        "unset: none.",
    )
    otlp_endpoint: str = Field(
        default="",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Where traces go, by OTLP over gRPC, such as http://collector:4317; unset: nowhere.",
    )

    @field_validator("host")
    @classmethod
    def _without_brackets(cls, value: str) -> str:
        return value[1:-1] if value.startswith("[") and value.endswith("]") else value

    @field_validator("root_path")
    @classmethod
    def _as_links_begin(cls, value: str) -> str:
        """Without a slash at the end."""
        path = value.removesuffix("/")
        if not ROOT_PATH.fullmatch(path):
            raise ValueError("must be a path such as /photos, of letters, digits and -._~")
        first = path[1:].partition("/")[0]
        if first in OWN_PATHS:
            raise ValueError(f"must not begin with /{first}, which is a path of the gateway itself")
        return path

    @field_validator("trusted_proxies")
    @classmethod
    def _names_networks(cls, value: str) -> str:
        for network in _parts(value):
            ip_network(network)
        return value

    @property
    def allowed_host_names(self) -> list[str]:
        """In lower case."""
        return _parts(self.allowed_hosts.lower())

    @property
    def trusted_networks(self) -> list[str]:
        """Addresses or networks."""
        return _parts(self.trusted_proxies)


def variable(field_name: str) -> str:
    """Of the environment, for a field or for what a mistake calls it."""
    field = Settings.model_fields.get(field_name)
    alias = field.validation_alias if field else None
    is_alias = any(each.validation_alias == field_name for each in Settings.model_fields.values())
    return field_name if is_alias else str(alias or f"GATEWAY_{field_name.upper()}")


def _parts(value: str) -> list[str]:
    return [part for each in value.split(",") if (part := each.strip())]
