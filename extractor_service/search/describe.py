"""From the photos of a query to their descriptors: look up or decode, then describe.

Decoding happens in processes, the network in the batcher's thread, the store is read in a few threads.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.caller import current_caller, in_thread
from extractor_service.search.described_query import DescribedPhoto
from extractor_service.search.queries import FileQuery, Photo, QueryImage, SearchOptions, Timings
from imagesearch.descriptors.pooling import mac
from imagesearch.errors import InvalidOption, StoreError
from imagesearch.local_features.features import from_bytes
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import QueryPicture, decode_query
from imagesearch.store.layout import StoreLayout, image_id_of
from imagesearch.store.originals import read_original
from imagesearch.store.records import ImageRecord
from imagesearch.store.thumbnails import read_thumbnail

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _File:
    """A photo still to be decoded."""

    content: bytes
    limits: ImageLimits
    image_id: str = ""
    row: int | None = None
    """Both where it is the original of an indexed image."""


class QueryPhotos:
    """Describes photos for one snapshot after the other. Use from one event loop."""

    def __init__(
        self,
        layout: StoreLayout,
        decode_pool: DecodePool,
        limits: ImageLimits,
        images_dir: Path,
        threads: Executor,
    ) -> None:
        self._layout = layout
        self._decode_pool = decode_pool
        self._limits = limits
        self._images_dir = images_dir
        self._threads = threads

    async def describe(
        self, served: ServedSnapshot, photos: Sequence[Photo], options: SearchOptions, timings: Timings
    ) -> list[DescribedPhoto]:
        """In order. Those that need it are decoded side by side and go through the network together.

        Raises InvalidImage, OptionUnavailable or UnknownImage.
        """
        sources = await _together(self._look_up(served, photo, options) for photo in photos)
        files = [source for source in sources if isinstance(source, _File)]
        described = iter(await self._describe_files(served, files, options, timings))
        return [next(described) if isinstance(source, _File) else source for source in sources]

    async def words(self, served: ServedSnapshot, text: str, timings: Timings) -> NDArray[np.float32]:
        """Their descriptor, shape=(D,), L2-normalised. Raises InvalidOption where the network knows none of
        them."""
        with timings.measure("extract"):
            vector = await in_thread(self._threads, served.model.words, text)
        if not vector.any():
            raise InvalidOption("The network knows none of these words; use others.")
        return served.snapshot.encodings.descriptor.encode(vector[np.newaxis])

    async def _look_up(
        self, served: ServedSnapshot, photo: Photo, options: SearchOptions
    ) -> _File | DescribedPhoto:
        if isinstance(photo, FileQuery):
            max_pixels = min(photo.max_pixels or self._limits.max_pixels, self._limits.max_pixels)
            return _File(photo.content, replace(self._limits, max_pixels=max_pixels))
        return await in_thread(self._threads, self._read, served, photo.image_id, options)

    def _read(self, served: ServedSnapshot, image_id: str, options: SearchOptions) -> _File | DescribedPhoto:
        """What the index itself knows of an image; for a part of that, its original file.

        Reads files, memory-mapped ones too: not for the event loop.
        """
        row, record = served.find(image_id)
        if options.region is not None:
            content = read_original(self._images_dir, record)
            # Its hash says that it is what the indexer accepted, so the limits on uploads do not apply.
            return _File(content, ImageLimits(len(content), record.width * record.height), image_id, row)
        preview = self._thumbnail(record) if options.preview else b""
        local_features = served.local_features().features(row) if options.verify else None
        mac_vectors = _stored_macs(served, row) if options.localize else None
        descriptor = served.snapshot.descriptors[row].astype(np.float32)
        image = QueryImage(record.width, record.height, None, record.damaged)
        return DescribedPhoto(
            descriptor, image, preview, image_id, image_id, row, local_features, mac_vectors
        )

    async def _describe_files(
        self, served: ServedSnapshot, files: Sequence[_File], options: SearchOptions, timings: Timings
    ) -> list[DescribedPhoto]:
        if not files:
            return []
        with timings.measure("decode"):
            decoding = _together(self._decode(served, file, options) for file in files)
            ids, pictures = await asyncio.gather(in_thread(self._threads, _ids, served, files), decoding)
        with timings.measure("extract"):
            descriptors = await _together(self._encoded(served, picture) for picture in pictures)
            macs = await _together(served.model.mac_vectors(picture.map_input) for picture in pictures)
        return [
            DescribedPhoto(
                descriptor,
                QueryImage(picture.width, picture.height, options.region, picture.damaged, image_id),
                picture.preview,
                file.image_id,
                content_id,
                file.row,
                from_bytes(picture.local_features) if picture.local_features else None,
                mac_vectors,
            )
            for file, (content_id, image_id), picture, descriptor, mac_vectors in zip(
                files, ids, pictures, descriptors, macs, strict=True
            )
        ]

    async def _encoded(self, served: ServedSnapshot, picture: QueryPicture) -> NDArray[np.float32]:
        vectors = await served.model.vectors(picture)
        return await in_thread(self._threads, served.snapshot.encodings.descriptor.encode, vectors)

    def _decode(self, served: ServedSnapshot, file: _File, options: SearchOptions) -> Awaitable[QueryPicture]:
        model = served.model
        extractor = model.extractor if options.verify or model.needs_local_features else None
        map_plan = model.map_plan if options.localize else None
        return asyncio.wrap_future(
            self._decode_pool.submit(
                QueryPicture,
                decode_query,
                file.content,
                file.limits,
                options.region,
                model.input_plan,
                options.preview,
                extractor,
                map_plan,
                client=current_caller.get().client,
            )
        )

    def _thumbnail(self, record: ImageRecord) -> bytes:
        """A WebP of at most 256 pixels; empty where it is gone, for a preview is not worth failing for."""
        try:
            return read_thumbnail(self._layout, record.image_id)
        except StoreError as error:
            logger.warning("no thumbnail of %s: %s", record.image_id, error)
            return b""


def _ids(served: ServedSnapshot, files: Sequence[_File]) -> list[tuple[str, str]]:
    """Of each file the id of its bytes and, where it was uploaded, the image that has them; else empty."""
    ids = []
    for file in files:
        content_id = image_id_of(hashlib.sha256(file.content).hexdigest())
        is_known = not file.image_id and served.snapshot.row_of(content_id) is not None
        ids.append((content_id, content_id if is_known else ""))
    return ids


def _stored_macs(served: ServedSnapshot, row: int) -> NDArray[np.float32]:
    codes = served.conv_maps().codes(row)
    return mac(codes.astype(np.float32))


async def _together(works: Iterable[Awaitable[T]]) -> list[T]:
    """All results in order. The first failure ends the others, as does being cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
