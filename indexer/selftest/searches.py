"""Searching with altered photos of the collection, through the engine that answers the service's queries."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np

from extractor_service.live.query_model import LoadBackbone
from extractor_service.search.queries import FileQuery, SearchOptions
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import ExtractorSettings
from imagesearch.errors import InvalidImage, OptionUnavailable
from imagesearch.host.cpus import available_cpus
from imagesearch.pictures.decode import ImageLimits
from imagesearch.store.layout import StoreLayout
from imagesearch.store.originals import read_original
from imagesearch.store.records import ImageRecord
from imagesearch.store.snapshot import Snapshot
from indexer.errors import NothingToTest
from indexer.progress import ShowProgress
from indexer.selftest.results import RANKS_TOLD, Choices, LeftOut, Outcome, Results, worst
from indexer.selftest.transformations import TRANSFORMATIONS
from indexer.selftest.variants import pictures_of, variants_of

GONE = "The file is gone, cannot be read or is not what was indexed; index the photos again."
NAMES = tuple(transformation.name for transformation in TRANSFORMATIONS)


def sample(layout: StoreLayout, choices: Choices) -> list[ImageRecord]:
    """Images of the live snapshot, drawn by the seed. Raises StoreError, and NothingToTest for none."""
    with Snapshot.open(layout) as snapshot:
        count = snapshot.manifest.count
        if not count:
            raise NothingToTest("The index holds no photo, so there is nothing to search for.")
        rng = np.random.default_rng(choices.seed)
        rows = rng.choice(count, min(choices.photos, count), replace=False)
        return snapshot.records(np.sort(rows).tolist())


async def search_all(
    settings: ExtractorSettings,
    images_dir: Path,
    load_backbone: LoadBackbone,
    choices: Choices,
    show_progress: ShowProgress,
) -> Results:
    """Searches with every transformation of a sample of the live snapshot.

    Raises StoreError and ModelError, OptionUnavailable where the snapshot lacks what an option needs, and
    NothingToTest where no photo of the sample can be read.
    """
    started = time.perf_counter()
    records = sample(StoreLayout(settings.store_dir), choices)
    async with _searching(settings, load_backbone) as core:
        searcher = _Searcher(core, images_dir, choices)
        with show_progress(len(records)) as advance:
            tested = await _for_all(records, searcher.test, advance)
        left_out = [each for each in tested if isinstance(each, LeftOut)]
        outcomes = [outcome for each in tested if not isinstance(each, LeftOut) for outcome in each]
        if not outcomes:
            raise _nothing_left(left_out)
        pictures = await searcher.pictures(records, outcomes)
        with core.live.use() as served:
            index = served.summary(choices.exact)
    tested_count, seconds = len(records) - len(left_out), time.perf_counter() - started
    return Results(index, choices, tested_count, left_out, outcomes, pictures, seconds)


@asynccontextmanager
async def _searching(settings: ExtractorSettings, load_backbone: LoadBackbone) -> AsyncIterator[SearchCore]:
    core = SearchCore(settings, load_backbone)
    try:
        await core.live.refresh()
        yield core
    finally:
        core.close()


class _Searcher:
    def __init__(self, core: SearchCore, images_dir: Path, choices: Choices) -> None:
        self._core = core
        self._images_dir = images_dir
        self._seed = choices.seed
        self._options = SearchOptions(
            limit=RANKS_TOLD, exact=choices.exact, expand=choices.expand, verify=choices.verify
        )

    async def test(self, record: ImageRecord) -> list[Outcome] | LeftOut:
        """One outcome per transformation. Raises what a search raises."""
        try:
            content = await asyncio.to_thread(read_original, self._images_dir, record)
        except OptionUnavailable:
            return LeftOut(record.paths[0], GONE)
        try:
            variants = await self._altered(variants_of, content, NAMES)
        except InvalidImage as error:
            return LeftOut(record.paths[0], str(error))
        return [await self._outcome(record, name, variants[name]) for name in NAMES]

    async def pictures(
        self, records: Sequence[ImageRecord], outcomes: Sequence[Outcome]
    ) -> dict[tuple[str, str], bytes]:
        """Those that `Results` holds. An original that has just vanished goes without."""
        wanted = {outcomes[0].image_id: set(NAMES)}
        for name in NAMES:
            for outcome in worst([each for each in outcomes if each.transformation == name]):
                wanted.setdefault(outcome.image_id, set()).add(name)
        pictures: dict[tuple[str, str], bytes] = {}
        for record in records:
            if record.image_id in wanted:
                with suppress(OptionUnavailable, InvalidImage):
                    content = await asyncio.to_thread(read_original, self._images_dir, record)
                    drawn = await self._altered(pictures_of, content, wanted[record.image_id])
                    pictures |= {(record.image_id, name): picture for name, picture in drawn.items()}
        return pictures

    async def _altered(
        self, alter: Callable[..., dict[str, bytes]], content: bytes, names: Collection[str]
    ) -> dict[str, bytes]:
        # That it is the file the indexer accepted is known by its hash, so its size is no matter.
        limits = ImageLimits(len(content), sys.maxsize)
        return await asyncio.wrap_future(
            self._core.decode_pool.submit(dict, alter, content, limits, self._seed, names)
        )

    async def _outcome(self, record: ImageRecord, name: str, variant: bytes) -> Outcome:
        hits = (await self._core.engine.search(FileQuery(variant), self._options)).hits
        ids = [hit.record.image_id for hit in hits]
        rank = ids.index(record.image_id) + 1 if record.image_id in ids else None
        first = (ids[0], hits[0].record.paths[0]) if hits else (None, "")
        return Outcome(name, record.image_id, record.paths[0], rank, *first)


async def _for_all(
    records: Iterable[ImageRecord],
    test: Callable[[ImageRecord], Awaitable[list[Outcome] | LeftOut]],
    advance: Callable[[int], object],
) -> list[list[Outcome] | LeftOut]:
    """In order; a few at a time, so that every processor has something to do."""
    places = asyncio.Semaphore(2 * available_cpus())

    async def one(record: ImageRecord) -> list[Outcome] | LeftOut:
        async with places:
            tested = await test(record)
        advance(1)
        return tested

    return await asyncio.gather(*map(one, records))


def _nothing_left(left_out: Sequence[LeftOut]) -> NothingToTest:
    first = left_out[0]
    return NothingToTest(
        f"Not one of the {len(left_out)} photos drawn can be tested. The first is {first.path}: "
        f"{first.reason}"
    )
