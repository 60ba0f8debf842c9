"""Settings of the indexer, read once from the environment by the entry point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from imagesearch.backbones.base import Precision
from imagesearch.host.logs import LogFormat
from imagesearch.index.kinds import KINDS, REQUESTS
from imagesearch.index.milvus.server import MilvusAddress, milvus_address

MIB = 1024 * 1024


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


def _known_index(kind: str) -> str:
    if kind not in REQUESTS:
        raise ValueError(f"Input should be {_listed(REQUESTS)}")
    return kind


class IndexerSettings(BaseSettings):
    """Every setting of the indexer. The environment variable is INDEXER_ and the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="INDEXER_", env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    images_dir: Path = Field(Path("photos"), description="Folder of the photos to index.")
    store_dir: Path = Field(Path("store"), description="Folder of the store to write.")
    exclude: str = Field(
        "",
        description="Comma-separated names of folders and photos to pass over, or their paths in the images "
        "folder, with * and ?, such as raw, *.gif, 2019/private.",
    )
    poll_s: float = Field(
        0.0,
        ge=0,
        description="While the folder is watched: seconds between two looks for changes that the system does "
        "not tell of; 0 takes 10 for network drives and folders shared with a virtual machine, else 600.",
    )
    keep_missing_days: float = Field(
        30.0,
        ge=0,
        description="Days that the store keeps what it has described of photos that are gone, in case they "
        "return; they are not found meanwhile.",
    )
    model: str = Field(
        "auto",
        description="Network: vgg16, efficientnet-lite0, a weights' file, or a folder with a model in "
        "Hugging Face's layout (see models.md); auto takes the one the store was built with, for a new store "
        "vgg16 where its weights can be fetched, else efficientnet-lite0.",
    )
    vgg16_weights: Path | None = Field(
        None,
        validation_alias="VGG16_WEIGHTS",
        description="Keras' .h5 file of VGG16's weights, instead of the download.",
    )
    descriptor: Literal[
        "auto", "fc6", "embedding", "spoc", "mac", "rmac", "gem", "bof", "vlad", "temb"
    ] = Field(
        "auto",
        description="Kind of descriptor: fc6, which vgg16 has, or the embedding of any other network; of a "
        "network's last map spoc, mac, rmac or gem; of local features, without a network, bof, vlad or temb. "
        "auto takes the store's, for a new store fc6 or embedding.",
    )  # fmt: skip
    long_side_px: int = Field(
        0,
        ge=0,
        le=1024,
        description="Long side in the network of spoc, mac, rmac and gem, in pixels; 0 takes the store's, "
        "for a new store 512.",
    )
    multi_scale: bool | None = Field(
        None,
        description="Describe by spoc, mac, rmac or gem at three sizes of the photo, in 1.75 times the time.",
    )
    whitening: bool | None = Field(
        None,
        description="Whiten spoc, mac, rmac and gem, as learnt on the photos: better at finding the same "
        "object, worse at finding more of its kind.",
    )
    words: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Visual words of bof, vlad or temb; 0 takes the store's, for a new store 20000, "
        "256 or 16.",
    )
    learnt_from: Path | None = Field(
        None,
        description="Folder of another store made the same way, whose whitening, words and axes are taken "
        "instead of learning them on the photos.",
    )
    index: Annotated[str, AfterValidator(_known_index)] = Field(
        "auto",
        description=f"Kind of index: exact, or approximate: {_listed([*KINDS])}; or milvus, of another "
        "machine or of many; auto takes exact where that is fast enough, else pq, and ivf above 100,000 "
        "photos.",
    )
    target_recall: float = Field(
        0.99,
        ge=0.5,
        le=1,
        description="Share of the true ten nearest that an approximate index must find; measured when built.",
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
    local_features: bool = Field(
        True,
        description="Find local features, 16 kB a photo, so that results can be verified by their geometry; "
        "false leaves them out of what is new.",
    )
    upright: bool | None = Field(
        None,
        description="Local features take up as up: better where every photo stands upright, blind to one "
        "that is turned.",
    )
    localization: bool = Field(
        False,
        description="Keep the network's last map of each photo, some 4 to 40 kB, so that a search can tell "
        "where in a result its object is; an existing store keeps what it has, build --rebuild changes it.",
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="Arithmetic of the network: f32, bf16 or int8; auto takes the store's, for a new store "
        "bf16 where the processor computes it and the network loses nothing by it: EfficientNet-Lite0 "
        "takes f32.",
    )
    threads: int = Field(0, ge=0, description="Threads for the network; 0 takes one per available processor.")
    workers: int = Field(
        0, ge=0, description="Processes that decode photos; 0 takes one per available processor."
    )
    max_image_bytes: int = Field(256 * MIB, ge=1, description="Largest photo file accepted, in bytes.")
    max_pixels: int = Field(110_000_000, ge=1, description="Largest photo accepted, as width times height.")
    decode_timeout_s: float = Field(
        60.0,
        gt=0,
        description="Longest decoding of one photo, in seconds; longer ones may get two tries.",
    )
    decode_memory_bytes: int = Field(
        2048 * MIB, ge=256 * MIB, description="Memory one decoding process may use, in bytes."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe messages that are logged."
    )
    log_format: LogFormat = Field(
        "text",
        validation_alias="LOG_FORMAT",
        description="How messages are logged: text, a line for people, or json, an object a line.",
    )

    @property
    def milvus(self) -> MilvusAddress | None:
        return milvus_address(self.milvus_uri, self.milvus_token.get_secret_value())
