"""From a query to ranked hits, one function per arrow: decode, describe, rank.

Decoding happens in processes, the network in the batcher's thread, searching in a few threads; the event loop
only hands over. Whatever a request has queued is dropped when the request is cancelled.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.caller import in_thread
from extractor_service.search.closer_look import Efforts
from extractor_service.search.describe import QueryPhotos
from extractor_service.search.described_query import DescribedQuery
from extractor_service.search.duplicates import Copies
from extractor_service.search.places import Places
from extractor_service.search.queries import (
    MAX_REACH,
    ExtractAnswer,
    FileQuery,
    PhotosQuery,
    Query,
    SearchAnswer,
    SearchOptions,
    StoredQuery,
    Timings,
    VectorQuery,
    uploaded_bytes,
)
from extractor_service.search.rank import Ranker
from imagesearch.errors import InvalidOption
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.region import Region

FEW_IMAGES = 5_000
"""Up to here comparing with each image that a filter lets through is no slower than what an approximate index
does: of 100,000 descriptors of 1,280 values it takes 5 ms for 5,000 and 9 ms for 10,000 on a busy
machine with 2 cores; `pq` takes 2.4 ms for either, `hnsw` 7 and 19."""


class Engine:
    """Answers requests from the live snapshot. Use from one event loop."""

    def __init__(
        self,
        live: LiveIndex,
        decode_pool: DecodePool,
        limits: ImageLimits,
        images_dir: Path,
        places: Places,
        search_threads: int,
        efforts: Efforts,
    ) -> None:
        self._live = live
        self._places = places
        self._threads = ThreadPoolExecutor(search_threads, "search")
        self._photos = QueryPhotos(live.layout, decode_pool, limits, images_dir, self._threads)
        self._ranker = Ranker(efforts, search_threads, Copies(live.layout))

    async def search(self, query: Query, options: SearchOptions) -> SearchAnswer:
        """Raises Overloaded, IndexNotReady, InvalidImage, InvalidOption, OptionUnavailable, UnknownImage,
        UnknownFolder."""
        timings = Timings()
        with self._places.taken(uploaded_bytes(query)), self._live.use() as served, timings.measure("total"):
            options = _checked_options(served, query, options)
            if options.where:
                options = await in_thread(self._threads, _exact_where_few, served, options)
            described = await self._describe(served, query, options, timings)
            hits, has_more = await in_thread(
                self._threads, self._ranker.rank, served, described, options, timings
            )
            several = isinstance(query, PhotosQuery)
            return SearchAnswer(
                described.image,
                described.photos if several else [],
                hits,
                _next_offset(options, has_more),
                served.summary(options.exact),
                timings,
                b"" if several else described.preview,
            )

    async def extract(self, query: FileQuery, region: Region | None) -> ExtractAnswer:
        """Raises Overloaded, IndexNotReady or InvalidImage."""
        timings = Timings()
        with self._places.taken(uploaded_bytes(query)), self._live.use() as served, timings.measure("total"):
            [photo] = await self._photos.describe(served, [query], SearchOptions(region=region), timings)
            return ExtractAnswer(photo.image, photo.descriptor, served.summary(), timings)

    def close(self) -> None:
        self._threads.shutdown()
        self._ranker.close()

    async def _describe(
        self, served: ServedSnapshot, query: Query, options: SearchOptions, timings: Timings
    ) -> DescribedQuery:
        match query:
            case VectorQuery():
                return DescribedQuery(query.normalised(served.snapshot.manifest.dim))
            case PhotosQuery():
                photos = [*query.positives, *query.negatives]
                described = await self._photos.describe(served, photos, options, timings)
                positives, negatives = described[: len(query.positives)], described[len(query.positives) :]
                words = await self._photos.words(served, query.text, timings) if query.text else None
                return DescribedQuery.combined(positives, negatives, words)
            case FileQuery() | StoredQuery():
                return DescribedQuery.of_one(*await self._photos.describe(served, [query], options, timings))


def _next_offset(options: SearchOptions, has_more: bool) -> int | None:
    """Where a page of the same limit begins that goes on, as far as there is one."""
    offset = options.offset + options.limit
    return offset if has_more and offset + options.limit <= MAX_REACH else None


def _exact_where_few(served: ServedSnapshot, options: SearchOptions) -> SearchOptions:
    """Compares with every image where a filter leaves few. Raises UnknownFolder."""
    among = served.selected(options.where)
    is_few = among is not None and among.sum() <= FEW_IMAGES
    return replace(options, exact=options.exact or is_few)


def _checked_options(served: ServedSnapshot, query: Query, options: SearchOptions) -> SearchOptions:
    """Before any work: whether the query is of the kind that its options need. Says whether to verify, where
    that was left open."""
    has_photos = isinstance(query, PhotosQuery) and bool(query.positives)
    shows_nothing = isinstance(query, VectorQuery) or (isinstance(query, PhotosQuery) and not has_photos)
    if isinstance(query, PhotosQuery) and query.text is not None:
        served.model.check_words()
    if options.region is not None and shows_nothing:
        raise InvalidOption("A region needs an image; vectors and words have none.")
    if options.region is not None and has_photos:
        raise InvalidOption("A region needs a single photo; of several it would not be clear which.")
    if options.verify and shows_nothing:
        raise InvalidOption("Verification needs an image; vectors and words have no local features.")
    if options.localize and shows_nothing:
        raise InvalidOption("Localisation needs an image; vectors and words cannot be looked for in one.")
    if options.verify:
        served.local_features()
    if options.localize:
        served.conv_maps()
    if options.verify is None:
        can_verify = served.snapshot.local_features is not None and not shows_nothing
        return replace(options, verify=can_verify)
    return options
