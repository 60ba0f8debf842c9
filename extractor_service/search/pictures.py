"""The pictures of indexed images: thumbnails from the store, originals from the folder of photos, renderings.

None counts as a search. Originals are read by threads of their own, a chunk at a time, so that a slow disk
holds up nothing but originals, and a large one no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.caller import current_caller
from imagesearch.errors import InvalidOption, PhotoGone, StoreError
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import render_file
from imagesearch.pictures.renderings import PREVIEW_LONG_SIDE_PX
from imagesearch.store.layout import StoreLayout
from imagesearch.store.originals import Original, find_original
from imagesearch.store.thumbnails import read_preview, read_thumbnail

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Larger ones are quicker (105 MB/s through the gateway, 207 with 256 KiB), but one that is not taken holds
# its memory.
CHUNK_BYTES = 128 * 1024
READERS = 4
RENDERED_SIZES = (PREVIEW_LONG_SIDE_PX, 1600)
"""Pixels of the long side."""
RENDERINGS = 1
"""At once: queries wait for the same decoders."""


class Pictures:
    """Reads for the live snapshot. Every method but `read` raises IndexNotReady where there is none."""

    def __init__(self, live: LiveIndex, images_dir: Path, decode_pool: DecodePool) -> None:
        self._live = live
        self._images_dir = images_dir
        self._decode_pool = decode_pool
        self._rendering = asyncio.Semaphore(RENDERINGS)
        self._readers = ThreadPoolExecutor(READERS, "originals")

    async def thumbnail(self, image_id: str) -> bytes:
        """A WebP. Raises UnknownImage; PhotoGone where the store lacks it."""
        with self._live.use() as served:
            return await asyncio.to_thread(_thumbnail, served, self._live.layout, image_id)

    async def rendering(self, image_id: str, long_side_px: int) -> bytes:
        """A larger JPEG, the preview that the store has or made from the original.

        Raises InvalidOption, UnknownImage or PhotoGone."""
        if long_side_px not in RENDERED_SIZES:
            raise InvalidOption("The size must be 256, 512 or 1600.")
        if long_side_px == PREVIEW_LONG_SIDE_PX and (preview := await self._preview(image_id)):
            return preview
        async with self._rendering:
            original = await self.original(image_id)
            record = original.record
            data = await self._by_reader(original.read, 0, record.size_bytes)
            # It was accepted once, so the limits on uploads do not apply.
            limits = ImageLimits(len(data), record.width * record.height)
            return await asyncio.wrap_future(
                self._decode_pool.submit(
                    bytes, render_file, data, limits, long_side_px, client=current_caller.get().client
                )
            )

    async def _preview(self, image_id: str) -> bytes | None:
        with self._live.use() as served:
            served.find(image_id)
            return await asyncio.to_thread(read_preview, self._live.layout, image_id)

    async def original(self, image_id: str) -> Original:
        """Raises UnknownImage or PhotoGone."""
        with self._live.use() as served:
            return await self._by_reader(_original, served, self._images_dir, image_id)

    async def read(self, original: Original, wanted: range) -> AsyncIterator[bytes]:
        """The wanted bytes of the file in chunks. Raises PhotoGone where the file changes meanwhile."""
        for start in range(wanted.start, wanted.stop, CHUNK_BYTES):
            yield await self._by_reader(original.read, start, min(CHUNK_BYTES, wanted.stop - start))

    def close(self) -> None:
        self._readers.shutdown(cancel_futures=True)

    async def _by_reader(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._readers.submit(function, *args, **kwargs))


def _original(served: ServedSnapshot, images_dir: Path, image_id: str) -> Original:
    _, record = served.find(image_id)
    return find_original(images_dir, record)


def _thumbnail(served: ServedSnapshot, layout: StoreLayout, image_id: str) -> bytes:
    served.find(image_id)
    try:
        return read_thumbnail(layout, image_id)
    except StoreError as error:
        logger.warning("no thumbnail of %s: %s", image_id, error)
        raise PhotoGone(str(error)) from error
