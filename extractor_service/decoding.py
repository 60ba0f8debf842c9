"""What the decoding processes run: from a file's bytes to what network, store and page need."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from extractor_service.decode_pool import DecodePool
from extractor_service.descriptors.base import InputPlan
from extractor_service.errors import EmptyImage, TooManyBytes, UnreadableFile
from extractor_service.images import ImageLimits, Region, crop, decode, webp

if TYPE_CHECKING:
    from extractor_service.local_features import RootSift

__all__ = ["DecodePool", "IndexedPicture", "QueryPicture", "decode_file", "decode_query"]

PREVIEW_LONG_SIDE_PX = 512
THUMBNAIL_LONG_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class QueryPicture:
    """A query, ready for the network."""

    width: int
    height: int
    """Size in pixels of the whole upright image."""
    network_input: NDArray[np.uint8]
    """As the plan prepares it, of the region alone where there is one."""
    preview: bytes
    """The whole upright image as WebP, long side at most 512 px; empty unless asked for."""
    local_features: bytes | None
    """As `local_features.storage` packs them, of the region alone if there is one; None unless asked for."""


@dataclass(frozen=True, slots=True)
class IndexedPicture:
    """A file of the collection, ready for the network and for the store."""

    sha256: str
    """Of the file's bytes, hexadecimal."""
    size_bytes: int
    mtime_ns: int
    width: int
    height: int
    """Size in pixels of the upright image."""
    media_type: str
    network_input: NDArray[np.uint8]
    thumbnail: bytes
    """WebP, long side at most 256 px."""
    local_features: bytes | None
    """As `local_features.storage` packs them; None unless asked for."""


def decode_query(
    data: bytes,
    limits: ImageLimits,
    region: Region | None,
    plan: InputPlan,
    preview: bool,
    local_features: RootSift | None = None,
) -> QueryPicture:
    """Raises whatever `images.decode` raises."""
    rgb = decode(data, limits).rgb
    height, width = rgb.shape[:2]
    wanted = rgb if region is None else crop(rgb, region)
    shown = webp(rgb, PREVIEW_LONG_SIDE_PX) if preview else b""
    return QueryPicture(width, height, plan.prepare(wanted), shown, _extracted(wanted, local_features))


def decode_file(
    path: Path, limits: ImageLimits, plan: InputPlan, local_features: RootSift | None = None
) -> IndexedPicture:
    """Raises UnreadableFile, and whatever `images.decode` raises."""
    data, mtime_ns = _read(path, limits.max_bytes)
    image = decode(data, limits)
    height, width = image.rgb.shape[:2]
    return IndexedPicture(
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        mtime_ns=mtime_ns,
        width=width,
        height=height,
        media_type=image.media_type,
        network_input=plan.prepare(image.rgb),
        thumbnail=webp(image.rgb, THUMBNAIL_LONG_SIDE_PX),
        local_features=_extracted(image.rgb, local_features),
    )


def _extracted(rgb: NDArray[np.uint8], local_features: RootSift | None) -> bytes | None:
    if local_features is None:
        return None
    # Only here, so that workers that are never asked for local features are spared 300 MiB of address space.
    import cv2

    from extractor_service.local_features.storage import to_bytes

    cv2.setNumThreads(1)  # the workers themselves are as many as the processors
    try:
        return to_bytes(local_features.extract(rgb))
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise


def _read(path: Path, max_bytes: int) -> tuple[bytes, int]:
    """The file's bytes and its mtime in nanoseconds; a file over the limit is not read."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = b"" if status.st_size > max_bytes else file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableFile("The file cannot be read: check its permissions and the disk.") from error
    if max(status.st_size, len(data)) > max_bytes:
        raise TooManyBytes(f"The file has {status.st_size:,} bytes; at most {max_bytes:,} are accepted.")
    if not data:
        raise EmptyImage("The file is empty.")
    return data, status.st_mtime_ns
