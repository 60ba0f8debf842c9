"""Settings of the search service, read once from the environment by the entry point."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from imagesearch.backbones.base import Precision
from imagesearch.host.logs import LogFormat
from imagesearch.index.milvus.server import MilvusAddress, milvus_address

MIB = 1024 * 1024


class ExtractorSettings(BaseSettings):
    """Every setting of the search service; its variable is EXTRACTOR_ and the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="EXTRACTOR_", env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(50051, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    store_dir: Path = Field(Path("store"), description="Folder of the store that the indexer writes.")
    images_dir: Path = Field(
        Path("photos"),
        description="Folder of the indexed photos, to show them and to search with a part of one.",
    )
    milvus_uri: str = Field(
        "",
        validation_alias="MILVUS_URI",
        description="Where Milvus is, for INDEXER_INDEX=milvus: http://host:19530, or a file for Milvus "
        "Lite, which one process at a time can open.",
    )
    milvus_token: SecretStr = Field(
        SecretStr(""), validation_alias="MILVUS_TOKEN", description="Token of Milvus, or user:password."
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="Arithmetic of the network: f32 or bf16; auto takes the one the store was built with, "
        "and a store built at int8 is always queried at int8.",
    )
    threads: int = Field(
        0,
        ge=0,
        description="Threads of the network and of the search; 0 takes one per available processor.",
    )
    max_image_bytes: int = Field(32 * MIB, ge=1, description="Largest image file accepted, in bytes.")
    max_pixels: int = Field(110_000_000, ge=1, description="Largest image accepted, as width times height.")
    decode_workers: int = Field(
        0, ge=0, description="Processes that decode images; 0 takes one per available processor."
    )
    decode_timeout_s: float = Field(
        3.0,
        gt=0,
        description="Longest decoding of one image, in seconds; longer ones may get two tries.",
    )
    decode_memory_bytes: int = Field(
        2048 * MIB, ge=256 * MIB, description="Memory one decoding process may use, in bytes."
    )
    max_in_flight: int = Field(
        256, ge=1, description="Searches and extractions under way at once; one more is refused."
    )
    max_bytes_in_flight: int = Field(
        512 * MIB, ge=1, description="Bytes of the photos of all these together; more are refused."
    )
    max_batch: int = Field(16, ge=1, description="Images that go through the network together under load.")
    verify_candidates: int = Field(
        20,
        ge=1,
        le=1000,
        description="First hits that a search with verify compares by their geometry, and as many again that "
        "local features find.",
    )
    verify_budget_ms: int = Field(
        400,
        ge=1,
        description="Longest verification in one search, in milliseconds; the rest is left out.",
    )
    localize_candidates: int = Field(
        100,
        ge=1,
        le=1000,
        description="First hits in which a search with localize looks for the query's object.",
    )
    localize_budget_ms: int = Field(
        400,
        ge=1,
        description="Longest localisation in one search, in milliseconds; the rest is left out.",
    )
    call_timeout_s: float = Field(
        30.0, gt=0, description="Longest answer to a call that carries no deadline, in seconds."
    )
    drain_timeout_s: float = Field(
        8.0,
        gt=0,
        description="Longest wait for calls under way after a signal to stop, in seconds.",
    )
    tls_cert_file: Path | None = Field(
        None, description="PEM file of the certificate chain; together with the key it turns TLS on."
    )
    tls_key_file: Path | None = Field(None, description="PEM file of the certificate's private key.")
    bearer_token: SecretStr | None = Field(
        None, description="Secret that every call must carry; empty asks for none."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe messages that are logged."
    )
    log_format: LogFormat = Field(
        "text",
        validation_alias="LOG_FORMAT",
        description="How messages are logged: text, a line for people, or json, an object a line.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="TCP port that tells Prometheus its metrics, at the same address; unset: none.",
    )
    otlp_endpoint: str = Field(
        "",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Where traces go, by OTLP over gRPC, such as http://collector:4317; unset: nowhere.",
    )

    @property
    def milvus(self) -> MilvusAddress | None:
        return milvus_address(self.milvus_uri, self.milvus_token.get_secret_value())

    @model_validator(mode="after")
    def _certificate_and_key_come_together(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("EXTRACTOR_TLS_CERT_FILE and EXTRACTOR_TLS_KEY_FILE must be set together")
        return self
