"""From a query to ranked hits, one function per arrow: decode, describe, rank.

Decoding happens in processes, the network in the batcher's thread, searching in a few threads; the event loop
only hands over. Whatever a request has queued is dropped when the request is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.closer_look import Efforts, ExaminableQuery, local_features_of, rank_examined
from extractor_service.search.describe import DescribedPhoto, QueryPhotos
from extractor_service.search.localized_hits import conv_maps_of
from extractor_service.search.nearest import rank
from extractor_service.search.queries import (
    ExtractAnswer,
    FileQuery,
    Hit,
    PhotosQuery,
    Query,
    QueryImage,
    QueryPhoto,
    SearchAnswer,
    SearchOptions,
    StoredQuery,
    Timings,
    VectorQuery,
)
from imagesearch.errors import InvalidOption, Overloaded
from imagesearch.local_features import LocalFeatures
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.region import Region
from imagesearch.ranking.feedback import rocchio

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Described:
    """A query on its way to the index."""

    descriptor: NDArray[np.float32]
    """shape=(D,), L2-normalised."""
    image: QueryImage | None = None
    preview: bytes = b""
    photos: Sequence[QueryPhoto] = ()
    own_rows: frozenset[int] = frozenset()
    """Those of its photos that are indexed images."""
    local_features: Sequence[LocalFeatures] = ()
    """Of each photo to look for where the search verifies, else empty."""
    mac_vectors: Sequence[NDArray[np.float32]] = ()
    """The same where it localises."""


class Engine:
    """Answers requests from the live snapshot. Use from one event loop."""

    def __init__(
        self,
        live: LiveIndex,
        decode_pool: DecodePool,
        limits: ImageLimits,
        images_dir: Path,
        max_in_flight: int,
        search_threads: int,
        efforts: Efforts,
    ) -> None:
        self._live = live
        self._free_places = max_in_flight
        self._threads = ThreadPoolExecutor(search_threads, "search")
        self._photos = QueryPhotos(live.layout, decode_pool, limits, images_dir, self._threads)
        self._efforts = efforts

    async def search(self, query: Query, options: SearchOptions) -> SearchAnswer:
        """Raises Overloaded, IndexNotReady, InvalidImage, InvalidOption, OptionUnavailable, UnknownImage."""
        timings = Timings()
        with self._place(), self._live.use() as served, timings.measure("total"):
            _check_options(served, query, options)
            described = await self._describe(served, query, options, timings)
            hits = await self._rank(served, described, options, timings)
        index = served.summary(options.exact)
        return SearchAnswer(described.image, list(described.photos), hits, index, timings, described.preview)

    async def extract(self, query: FileQuery, region: Region | None) -> ExtractAnswer:
        """Raises Overloaded, IndexNotReady or InvalidImage."""
        timings = Timings()
        with self._place(), self._live.use() as served, timings.measure("total"):
            [photo] = await self._photos.describe(served, [query], SearchOptions(region=region), timings)
        return ExtractAnswer(photo.image, photo.descriptor, served.summary(), timings)

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
        descriptor, own_rows = described.descriptor, described.own_rows
        if not options.verify and not options.localize:
            with timings.measure("search"):
                return await self._in_thread(rank, served, descriptor, options, own_rows)
        query = ExaminableQuery(descriptor, own_rows, described.local_features, described.mac_vectors)
        return await self._in_thread(rank_examined, served, query, options, self._efforts, timings)

    async def _describe(
        self, served: ServedSnapshot, query: Query, options: SearchOptions, timings: Timings
    ) -> _Described:
        match query:
            case VectorQuery():
                return _Described(query.normalised(served.snapshot.manifest.dim))
            case PhotosQuery():
                photos = [*query.positives, *query.negatives]
                described = await self._photos.describe(served, photos, options, timings)
                return _combined(described, len(query.positives))
            case FileQuery() | StoredQuery():
                return _alone(*await self._photos.describe(served, [query], options, timings))

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._threads.submit(function, *args, **kwargs))


def _check_options(served: ServedSnapshot, query: Query, options: SearchOptions) -> None:
    """Before any work: whether the query is of the kind that its options need."""
    if options.region is not None and isinstance(query, VectorQuery):
        raise InvalidOption("A region needs an image; a vector has none.")
    if options.region is not None and isinstance(query, PhotosQuery):
        raise InvalidOption("A region needs a single photo; of several it would not be clear which.")
    if options.verify and isinstance(query, VectorQuery):
        raise InvalidOption("Verification needs an image; a vector has no local features.")
    if options.localize and isinstance(query, VectorQuery):
        raise InvalidOption("Localisation needs an image; a vector cannot be looked for in another.")
    if options.verify:
        local_features_of(served)
    if options.localize:
        conv_maps_of(served)


def _alone(photo: DescribedPhoto) -> _Described:
    return _Described(
        photo.descriptor,
        photo.image,
        photo.preview,
        own_rows=_rows([photo]),
        local_features=_local_features([photo]),
        mac_vectors=_mac_vectors([photo]),
    )


def _combined(photos: Sequence[DescribedPhoto], positive_count: int) -> _Described:
    """photos: the positives first. They alone are looked for in the results."""
    positives, negatives = photos[:positive_count], photos[positive_count:]
    descriptors = np.stack([photo.descriptor for photo in photos])
    return _Described(
        rocchio(descriptors[:positive_count], descriptors[positive_count:]),
        photos[0].image,
        photos=[
            *(_query_photo(photo, negative=False) for photo in positives),
            *(_query_photo(photo, negative=True) for photo in negatives),
        ],
        own_rows=_rows(photos),
        local_features=_local_features(positives),
        mac_vectors=_mac_vectors(positives),
    )


def _query_photo(photo: DescribedPhoto, negative: bool) -> QueryPhoto:
    return QueryPhoto(photo.image_id, negative, photo.image.width, photo.image.height, photo.preview)


def _rows(photos: Iterable[DescribedPhoto]) -> frozenset[int]:
    return frozenset(photo.row for photo in photos if photo.row is not None)


def _local_features(photos: Iterable[DescribedPhoto]) -> list[LocalFeatures]:
    return [photo.local_features for photo in photos if photo.local_features is not None]


def _mac_vectors(photos: Iterable[DescribedPhoto]) -> list[NDArray[np.float32]]:
    return [vector for photo in photos if photo.mac_vectors is not None for vector in photo.mac_vectors]
