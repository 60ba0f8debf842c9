"""What the decoding processes run: from a file's bytes to what network, store and page need.

Both pictures may come from a process that a hostile file has taken over, so they check what would do harm
beyond the picture itself: a hash that is a path, a type that no image has.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.bounded import bounded
from imagesearch.errors import EmptyImage, TooManyBytes, UnreadableFile
from imagesearch.host.cpus import available_cpus
from imagesearch.host.files import modified_ns
from imagesearch.pictures.decode import DecodedImage, ImageLimits, decode
from imagesearch.pictures.formats import FORMATS
from imagesearch.pictures.plans import OVERSAMPLING, InputPlan
from imagesearch.pictures.readers.raster import LeastScale
from imagesearch.pictures.region import WHOLE, Region, crop
from imagesearch.pictures.renderings import (
    PREVIEW_LONG_SIDE_PX,
    THUMBNAIL_LONG_SIDE_PX,
    jpeg,
    webp,
)
from imagesearch.pictures.taken import taken_at

if TYPE_CHECKING:
    from imagesearch.local_features import LocalFeatures, RootSift
    from imagesearch.pictures.plans import LongSideInput

MAX_NUMBER = 2**63 - 1
"""The largest that a store keeps."""


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
    """As `local_features.features` packs them, of the region alone if there is one; None unless asked for."""
    map_input: NDArray[np.uint8] | None
    """For the convolutional map, as its plan prepares it, of the region alone; None unless asked for."""
    damaged: bool = False
    """Whether pixels of the file are missing or wrong: a tenth of them at most."""

    def __post_init__(self) -> None:
        """Raises ValueError for what is no picture's."""
        _check_size(self.width, self.height)


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
    preview: bytes | None
    """JPEG, long side 512 px; None for a picture that is no larger."""
    local_features: bytes | None
    """As `local_features.storage` packs them; None unless asked for."""
    map_input: NDArray[np.uint8] | None
    """For the convolutional map, as its plan prepares it; None unless asked for."""
    damaged: bool = False
    """Whether pixels of the file are missing or wrong: a tenth of them at most."""
    taken_at: str = ""
    """See `pictures.taken`."""

    def __post_init__(self) -> None:
        """Raises ValueError for what is no file's."""
        _check_size(self.width, self.height)
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError("not a SHA-256")
        if not 0 < self.size_bytes <= MAX_NUMBER or abs(self.mtime_ns) > MAX_NUMBER:
            raise ValueError("not the size and time of a file")
        if self.media_type not in (image_format.media_type for image_format in FORMATS):
            raise ValueError("not an accepted type")
        if self.taken_at and datetime.fromisoformat(self.taken_at).isoformat() != self.taken_at:
            raise ValueError("not a date")


def decode_query(
    data: bytes,
    limits: ImageLimits,
    region: Region | None,
    plan: InputPlan,
    preview: bool,
    local_features: RootSift | None = None,
    map_plan: LongSideInput | None = None,
) -> QueryPicture:
    """Raises whatever `images.decode` raises."""
    part = region or WHOLE
    image = decode(data, limits, _network_scale(plan, part))
    network_input = plan.prepare(crop(image.rgb, part))
    if map_plan:
        image = _at_least(image, data, limits, OVERSAMPLING * map_plan.long_side_px, part)
    map_input = map_plan.prepare(crop(image.rgb, part)) if map_plan else None
    shown = webp(image.rgb, PREVIEW_LONG_SIDE_PX) if preview else b""
    if local_features:
        image = _at_least(image, data, limits, local_features.long_side_px, part)
    found = _travelling(crop(image.rgb, part), local_features) if local_features else None
    return QueryPicture(image.width, image.height, network_input, shown, found, map_input, image.damaged)


def decode_file(
    path: Path,
    limits: ImageLimits,
    plan: InputPlan,
    local_features: RootSift | None = None,
    map_plan: LongSideInput | None = None,
) -> IndexedPicture:
    """Raises UnreadableFile, and whatever `images.decode` raises."""
    data, mtime_ns = _read(path, limits.max_bytes)
    image = decode(data, limits, _network_scale(plan, WHOLE))
    network_input, small = plan.prepare(image.rgb), bounded(image.rgb, PREVIEW_LONG_SIDE_PX)
    if map_plan:
        image = _at_least(image, data, limits, OVERSAMPLING * map_plan.long_side_px, WHOLE)
    map_input = map_plan.prepare(image.rgb) if map_plan else None
    if local_features:
        image = _at_least(image, data, limits, local_features.long_side_px, WHOLE)
    return IndexedPicture(
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        mtime_ns=mtime_ns,
        width=image.width,
        height=image.height,
        media_type=image.media_type,
        network_input=network_input,
        thumbnail=webp(small, THUMBNAIL_LONG_SIDE_PX),
        preview=jpeg(small, PREVIEW_LONG_SIDE_PX) if small is not image.rgb else None,
        local_features=_kept(image.rgb, local_features) if local_features else None,
        map_input=map_input,
        damaged=image.damaged,
        taken_at=taken_at(data),
    )


def detail_file(path: Path, image_id: str, limits: ImageLimits, local_features: RootSift) -> bytes:
    """The local features of a file that has been indexed before, as `local_features.storage` packs them.

    image_id: what its SHA-256 begins with. Raises what `decode_file` raises, and UnreadableFile where the
    file has become another.
    """
    data, _ = _read(path, limits.max_bytes)
    if not hashlib.sha256(data).hexdigest().startswith(image_id):
        raise UnreadableFile("The file has changed since it was indexed.")
    return _kept(decode(data, limits, _long_side(local_features.long_side_px)).rgb, local_features)


def detail_preview(preview: bytes, limits: ImageLimits, local_features: RootSift) -> bytes:
    """The same of a picture's preview, which is large enough: no photo is read and decoded twice."""
    return _kept(decode(preview, limits).rgb, local_features)


def render_file(data: bytes, limits: ImageLimits, long_side_px: int) -> bytes:
    """The upright picture as `jpeg` makes it. Raises whatever `images.decode` raises."""
    return jpeg(decode(data, limits, _long_side(long_side_px)).rgb, long_side_px)


def _long_side(px: int) -> LeastScale:
    return lambda width, height: px / max(width, height)


def _check_size(width: int, height: int) -> None:
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise ValueError("not the size of a picture")


def _network_scale(plan: InputPlan, part: Region) -> LeastScale:
    """For the network and a preview, and for nothing else: what is found in a photo must not depend on what
    else is asked for, in a query or at indexing."""

    def least_scale(width: int, height: int) -> float:
        for_network = plan.least_scale(part.width * width, part.height * height)
        return max(for_network, PREVIEW_LONG_SIDE_PX / max(width, height))

    return least_scale


def _at_least(
    image: DecodedImage, data: bytes, limits: ImageLimits, long_side_px: float, part: Region
) -> DecodedImage:
    """With this long side of the part or a longer one: decoded once more where the picture is too small."""

    def least_scale(width: int, height: int) -> float:
        return long_side_px / max(part.width * width, part.height * height)

    if image.scale >= min(1.0, least_scale(image.width, image.height)):
        return image
    return decode(data, limits, least_scale)


# What follows imports OpenCV only when it runs: workers that are never asked for local features are spared
# 300 MiB of address space.


def _travelling(rgb: NDArray[np.uint8], local_features: RootSift) -> bytes:
    from imagesearch.local_features.features import to_bytes

    return to_bytes(_extracted(rgb, local_features, available_cpus()))  # somebody waits for it


def _kept(rgb: NDArray[np.uint8], local_features: RootSift) -> bytes:
    from imagesearch.local_features.storage import to_blob

    return to_blob(_extracted(rgb, local_features, 1))  # the workers themselves are as many as the processors


def _extracted(rgb: NDArray[np.uint8], local_features: RootSift, threads: int) -> LocalFeatures:
    import cv2

    cv2.setNumThreads(threads)
    try:
        return local_features.extract(rgb)
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
    return data, modified_ns(status)
