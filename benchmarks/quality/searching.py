"""The queries of a photo set, searched for through the engine as the service would."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.configurations import Options
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.retrieval import GroundTruthError
from extractor_service.search.queries import FileQuery, SearchOptions, StoredQuery
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import ExtractorSettings
from imagesearch.backbones import load_backbone
from imagesearch.host.cpus import available_cpus
from imagesearch.store.layout import StoreLayout
from imagesearch.store.records import ImageRecord

TIMED_QUERIES = 30
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class WholeRanking(SearchOptions):
    """A search without a bound on its results: average precision is taken over all of them."""

    def __post_init__(self) -> None:
        """Nothing is out of range."""


def whole_ranking(count: int, options: Options) -> WholeRanking:
    return WholeRanking(limit=count, expand="expand" in options, verify="verify" in options)


@asynccontextmanager
async def searching(store_dir: Path) -> AsyncIterator[SearchCore]:
    """The service's engine over a store, with its default settings and time to verify every candidate."""
    settings = ExtractorSettings(store_dir=store_dir, verify_budget_ms=600_000)
    models_dir = StoreLayout(store_dir).models_dir
    core = SearchCore(settings, partial(load_backbone, models_dir, threads=available_cpus()))
    try:
        await core.live.refresh()
        yield core
    finally:
        core.close()


@dataclass(frozen=True, slots=True)
class Ranked:
    """Every query of a set, answered."""

    rankings: dict[str, list[str]]
    """For each query all photos, best first, by their paths."""
    scores: NDArray[np.float64]
    """shape=(P,): the score of each pair of a query and another photo."""


async def ranked(core: SearchCore, photos: PhotoSet, options: Options) -> Ranked:
    """Raises GroundTruthError where a query was not indexed.

    Each query is searched for by its id, so by its descriptor in the index; photos of the very same bytes
    come first, as they would.
    """
    records = indexed(core, photos)
    whole = whole_ranking(len(photos.truth.photos), options)
    places = asyncio.Semaphore(AT_ONCE)

    async def ranking(query: str) -> tuple[list[str], list[float | None]]:
        own = records[query]
        async with places:
            hits = (await core.engine.search(StoredQuery(own.image_id), whole)).hits
        paths = [path for hit in hits for path in hit.record.paths]
        return [*own.paths, *paths], [hit.score for hit in hits]

    answers = await asyncio.gather(*map(ranking, photos.truth.relevant))
    return Ranked(
        {query: paths for query, (paths, _) in zip(photos.truth.relevant, answers, strict=True)},
        np.array([score for _, scores in answers for score in scores], np.float64),
    )


async def query_ms(core: SearchCore, photos: PhotoSet, options: Options) -> float:
    """The median time of one search with a file, one after the other: decoding, description, search."""
    queries = list(photos.truth.relevant)
    step = max(1, len(queries) // TIMED_QUERIES)
    times_ms = []
    for name in queries[::step][:TIMED_QUERIES]:
        content = (photos.folder / name).read_bytes()
        answer = await core.engine.search(
            FileQuery(content), SearchOptions(expand="expand" in options, verify="verify" in options)
        )
        times_ms.append(answer.timings.total_ms)
    return statistics.median(times_ms)


def indexed(core: SearchCore, photos: PhotoSet) -> dict[str, ImageRecord]:
    """The record of each photo by its path. Raises GroundTruthError where a query was not indexed."""
    with core.live.use() as served:
        records = served.snapshot.page("", served.snapshot.manifest.count)
    by_path = {path: record for record in records for path in record.paths}
    missing = [query for query in photos.truth.relevant if query not in by_path]
    if missing:
        raise GroundTruthError(
            f"{missing[0]} is a query, but it could not be indexed; see the indexer's status."
        )
    return by_path
