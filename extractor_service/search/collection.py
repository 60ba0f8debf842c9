"""What is known of the indexed images, without searching."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.served_snapshot import ServedSnapshot
from imagesearch.backbones.base import Precision
from imagesearch.errors import InvalidOption, UnknownFolder
from imagesearch.store.filters import Filter
from imagesearch.store.indexing import Indexing, read_indexing
from imagesearch.store.left_out import read_left_out
from imagesearch.store.manifest import IndexSummary, Manifest
from imagesearch.store.records import ImageRecord, RefusedFile

MAX_PAGE_SIZE = 1_000
MAX_REFUSED = 1_000
MAX_FOLDERS = 10_000


@dataclass(frozen=True, slots=True)
class IndexDescription:
    """The live snapshot as a whole."""

    summary: IndexSummary
    manifest: Manifest
    query_precision: Precision
    knows_words: bool
    refused: list[RefusedFile]
    """The first `MAX_REFUSED` of them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some images in their order."""

    images: list[ImageRecord]
    next_token: str
    """Empty on the last page."""


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """Some of the files that could not be indexed, in order of path."""

    files: list[RefusedFile]
    total: int
    """All there are."""
    reasons: dict[str, int]
    """How many of all there are by reason."""
    left_out: dict[str, int]
    """What the last look through the folder left out, by kind."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Of the indexed images."""

    counts: dict[str, int]
    """How many are in each or below it, in order of path: of all folders or the `MAX_FOLDERS` least deep."""
    total: int


class Collection:
    """Reads records of the live snapshot. All but `indexing` raise IndexNotReady where there is none."""

    def __init__(self, live: LiveIndex) -> None:
        self._live = live

    async def image(self, image_id: str) -> ImageRecord:
        """Raises UnknownImage."""
        with self._live.use() as served:
            _, record = await asyncio.to_thread(served.find, image_id)
        return record

    async def description(self) -> IndexDescription:
        with self._live.use() as served:
            refused = await asyncio.to_thread(served.snapshot.refused, MAX_REFUSED)
            return IndexDescription(
                served.summary(),
                served.snapshot.manifest,
                served.model.precision,
                served.model.knows_words,
                refused,
            )

    async def indexing(self) -> Indexing | None:
        """The indexer at work on the store, also before there is a snapshot."""
        return await asyncio.to_thread(read_indexing, self._live.layout)

    async def refused(self, limit: int, offset: int) -> RefusedPage:
        """Raises InvalidOption."""
        _check_page_size(limit)
        with self._live.use() as served:
            files = await asyncio.to_thread(served.snapshot.refused, limit, offset)
            reasons = await asyncio.to_thread(served.snapshot.refusals)
            left_out = await asyncio.to_thread(read_left_out, self._live.layout)
            return RefusedPage(files, served.snapshot.manifest.refused_count, reasons, left_out)

    async def folders(self) -> Folders:
        with self._live.use() as served:
            counts = await asyncio.to_thread(lambda: served.folders)
            upper = sorted(counts, key=lambda path: (path.count("/"), path))[:MAX_FOLDERS]
            return Folders({path: counts[path] for path in sorted(upper)}, len(counts))

    async def page(self, size: int, token: str) -> Page:
        """token: of the page before, "" for the first. Raises InvalidOption."""
        _check_page_size(size)
        with self._live.use() as served:
            return await asyncio.to_thread(_page, served, size, token)

    async def folder_page(self, folder: str, size: int, token: str) -> Page:
        """In order of path; token as for `page`. Raises InvalidOption or UnknownFolder."""
        _check_page_size(size)
        with self._live.use() as served:
            return await asyncio.to_thread(_folder_page, served, Filter(folder), size, token)

    async def sample(self, size: int, seed: int) -> list[ImageRecord]:
        """At most `size` images, evenly over the collection. Raises InvalidOption."""
        _check_page_size(size)
        with self._live.use() as served:
            return await asyncio.to_thread(served.snapshot.sample, size, seed)


def _page(served: ServedSnapshot, size: int, token: str) -> Page:
    # The token is the last id of the page before, so paging goes on across snapshots without gaps.
    images = served.snapshot.page(token, size + 1)
    return Page(images[:size], images[size - 1].image_id if len(images) > size else "")


def _folder_page(served: ServedSnapshot, where: Filter, size: int, token: str) -> Page:
    found = served.snapshot.folder_page(where.folder, token, size + 1)
    if not found and not token:
        raise UnknownFolder("No indexed photo is in this folder.")
    images = [replace(record, paths=_begun_with(path, record.paths)) for path, record in found[:size]]
    return Page(images, found[size - 1][0] if len(found) > size else "")


def _begun_with(path: str, paths: tuple[str, ...]) -> tuple[str, ...]:
    return (path, *(other for other in paths if other != path))


def _check_page_size(size: int) -> None:
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise InvalidOption(f"The page size must be from 1 to {MAX_PAGE_SIZE:,}.")
