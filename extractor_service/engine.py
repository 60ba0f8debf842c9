"""From a query to ranked hits, one function per arrow: decode, describe, rank.

Decoding happens in processes, the network in the batcher's thread, searching in a few threads; the event loop
only hands over. Whatever a request has queued is dropped when the request is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from extractor_service.decoding import DecodePool, decode_query
from extractor_service.errors import InvalidOption, OptionUnavailable, Overloaded
from extractor_service.hits import rank
from extractor_service.images import ImageLimits, Region
from extractor_service.live_index import LiveIndex
from extractor_service.local_features import LocalFeatures, RootSift
from extractor_service.local_features.storage import from_bytes
from extractor_service.originals import read_original
from extractor_service.queries import (
    ExtractAnswer,
    FileQuery,
    Hit,
    Query,
    QueryImage,
    SearchAnswer,
    SearchOptions,
    StoredQuery,
    Timings,
    VectorQuery,
)
from extractor_service.served_snapshot import ServedSnapshot
from extractor_service.store.records import ImageRecord
from extractor_service.verified_hits import Effort, VerifiableQuery, local_features_of, rank_verified

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Described:
    """A query on its way to the index."""

    descriptor: NDArray[np.float32]
    """shape=(D,), L2-normalised."""
    image: QueryImage | None
    preview: bytes = b""
    own_row: int | None = None
    """Its row where it is an indexed image."""
    local_features: LocalFeatures | None = None
    """None unless the search verifies."""


class Engine:
    """Answers requests from the live snapshot. Use from one event loop."""

    def __init__(
        self,
        live: LiveIndex,
        decode_pool: DecodePool,
        limits: ImageLimits,
        images_dir: Path | None,
        max_in_flight: int,
        search_threads: int,
        effort: Effort,
    ) -> None:
        self._live = live
        self._decode_pool = decode_pool
        self._limits = limits
        self._images_dir = images_dir
        self._free_places = max_in_flight
        self._threads = ThreadPoolExecutor(search_threads, "search")
        self._effort = effort

    async def search(self, query: Query, options: SearchOptions) -> SearchAnswer:
        """Raises Overloaded, IndexNotReady, InvalidImage, InvalidOption, OptionUnavailable, UnknownImage."""
        timings = Timings()
        with self._place(), self._live.use() as served, timings.measure("total"):
            if options.verify:
                _check_verifiable(served, query)
            described = await self._describe(served, query, options, timings)
            hits = await self._rank(served, described, options, timings)
        return SearchAnswer(described.image, hits, served.summary(options.exact), timings, described.preview)

    async def extract(self, query: FileQuery, region: Region | None) -> ExtractAnswer:
        """Raises Overloaded, IndexNotReady or InvalidImage."""
        timings = Timings()
        with self._place(), self._live.use() as served, timings.measure("total"):
            described = await self._describe_file(served, query, SearchOptions(region=region), timings)
        return ExtractAnswer(described.image, described.descriptor, served.summary(), timings)

    def close(self) -> None:
        self._threads.shutdown()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._free_places == 0:
            raise Overloaded("The service is busy; try again in a moment.")
        self._free_places -= 1
        try:
            yield
        finally:
            self._free_places += 1

    async def _rank(
        self, served: ServedSnapshot, described: _Described, options: SearchOptions, timings: Timings
    ) -> list[Hit]:
        descriptor, own_row = described.descriptor, described.own_row
        if described.local_features is None:
            with timings.measure("search"):
                return await self._in_thread(rank, served, descriptor, options, own_row)
        query = VerifiableQuery(descriptor, described.local_features, own_row)
        return await self._in_thread(rank_verified, served, query, options, self._effort, timings)

    async def _describe(
        self, served: ServedSnapshot, query: Query, options: SearchOptions, timings: Timings
    ) -> _Described:
        match query:
            case FileQuery():
                return await self._describe_file(served, query, options, timings)
            case StoredQuery():
                return await self._describe_stored(served, query, options, timings)
            case VectorQuery():
                return _describe_vector(served, query, options)

    async def _describe_file(
        self, served: ServedSnapshot, query: FileQuery, options: SearchOptions, timings: Timings
    ) -> _Described:
        max_pixels = min(query.max_pixels or self._limits.max_pixels, self._limits.max_pixels)
        limits = replace(self._limits, max_pixels=max_pixels)
        return await self._describe_picture(served, query.content, limits, options, timings)

    async def _describe_stored(
        self, served: ServedSnapshot, query: StoredQuery, options: SearchOptions, timings: Timings
    ) -> _Described:
        """The descriptor of the index itself, or of a part of the original file."""
        row, record = await self._in_thread(served.find, query.image_id)
        if options.region is None:
            preview = await self._in_thread(self._thumbnail, record) if options.preview else b""
            image = QueryImage(record.width, record.height, region=None)
            local_features = local_features_of(served).features(row) if options.verify else None
            descriptor = served.snapshot.descriptors[row].astype(np.float32)
            return _Described(descriptor, image, preview, row, local_features)
        content = await self._in_thread(self._original, record)
        # Its hash says that it is what the indexer accepted, so the limits on uploads do not apply.
        limits = ImageLimits(len(content), record.width * record.height)
        described = await self._describe_picture(served, content, limits, options, timings)
        return replace(described, own_row=row)

    async def _describe_picture(
        self,
        served: ServedSnapshot,
        content: bytes,
        limits: ImageLimits,
        options: SearchOptions,
        timings: Timings,
    ) -> _Described:
        plan = served.model.descriptor.input_plan
        extractor = RootSift() if options.verify else None
        with timings.measure("decode"):
            picture = await asyncio.wrap_future(
                self._decode_pool.submit(
                    decode_query, content, limits, options.region, plan, options.preview, extractor
                )
            )
        with timings.measure("extract"):
            descriptor = await served.model.batcher.describe(picture.network_input)
        image = QueryImage(picture.width, picture.height, options.region)
        local_features = from_bytes(picture.local_features) if picture.local_features else None
        return _Described(descriptor, image, picture.preview, local_features=local_features)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._threads.submit(function, *args, **kwargs))

    def _thumbnail(self, record: ImageRecord) -> bytes:
        """A WebP of at most 256 pixels; empty where it is gone, for a preview is not worth failing for."""
        try:
            return self._live.layout.thumbnail_path(record.image_id).read_bytes()
        except OSError:
            logger.warning("the store lacks the thumbnail of %s", record.image_id)
            return b""

    def _original(self, record: ImageRecord) -> bytes:
        if self._images_dir is None:
            raise OptionUnavailable(
                "The service cannot read the photos themselves, so a part of an indexed image cannot be "
                "searched for; set EXTRACTOR_IMAGES_DIR."
            )
        return read_original(self._images_dir, record)


def _check_verifiable(served: ServedSnapshot, query: Query) -> None:
    if isinstance(query, VectorQuery):
        raise InvalidOption("Verification needs an image; a vector has no local features.")
    local_features_of(served)


def _describe_vector(served: ServedSnapshot, query: VectorQuery, options: SearchOptions) -> _Described:
    if options.region is not None:
        raise InvalidOption("A region needs an image; a vector has none.")
    return _Described(query.normalised(served.snapshot.manifest.dim), image=None)
