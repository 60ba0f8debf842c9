"""Searching with files of any place, through the engine that answers the service's queries."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from extractor_service.live.query_model import LoadBackbone
from extractor_service.search.queries import FileQuery, Hit, SearchOptions
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import ExtractorSettings
from imagesearch.errors import EmptyImage, InvalidImage, TooManyBytes, UnreadableFile
from imagesearch.host.cpus import available_cpus
from imagesearch.ranking.alignment import LONG_SIDE_PX, SmallPicture, agreement
from imagesearch.ranking.kinship import Kinship, kinship
from imagesearch.ranking.likeness import Likeness
from imagesearch.store.layout import StoreLayout
from indexer.duplicates.judge import picture_of
from indexer.errors import NothingToMatch
from indexer.match.verdicts import FileVerdict, Match
from indexer.progress import ShowProgress
from indexer.selftest.engine import engine_settings
from indexer.settings import IndexerSettings
from indexer.walk import walk

COMPARED = 8
"""Results of each file that are laid onto it."""
VERIFIED = 12
"""Candidates of each kind that are verified: what is in the collection already is among the first."""


def match_files(
    settings: IndexerSettings,
    load_backbone: LoadBackbone,
    paths: Sequence[Path],
    show_progress: ShowProgress,
) -> list[FileVerdict]:
    """In the order given; folders stand for the photos in them. Reads the store only.

    Raises NothingToMatch, InvalidOption, ImagesFolderError, StoreError and ModelError.
    """
    files = list(_files(settings, paths))
    if not files:
        raise NothingToMatch("There is no photo in what was given, so there is nothing to look for.")
    with show_progress(len(files)) as advance:

        async def all_files() -> list[FileVerdict]:
            core = SearchCore(_engine_settings(settings), load_backbone)
            try:
                await core.live.refresh()
                matcher = _Matcher(core, StoreLayout(settings.store_dir), settings.max_image_bytes)
                places = asyncio.Semaphore(2 * available_cpus())

                async def settled(file: Path) -> FileVerdict:
                    async with places:
                        verdict = await matcher.verdict(file)
                    advance(1)
                    return verdict

                return await asyncio.gather(*map(settled, files))
            finally:
                core.close()

        return asyncio.run(all_files())


def _files(settings: IndexerSettings, paths: Sequence[Path]) -> Iterator[Path]:
    """What cannot be read is given as well, to be refused by name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        listing = walk(path, settings.store_dir)
        found = [file.path for file in listing.photos] + [each.file.path for each in listing.refusals]
        yield from (path / name for name in sorted(found))


def _engine_settings(settings: IndexerSettings) -> ExtractorSettings:
    at_once = 2 * available_cpus()
    return engine_settings(
        settings,
        verify_candidates=VERIFIED,
        max_in_flight=at_once,
        max_bytes_in_flight=at_once * settings.max_image_bytes,
    )


class _Matcher:
    def __init__(self, core: SearchCore, layout: StoreLayout, max_bytes: int) -> None:
        self._core = core
        self._layout = layout
        self._max_bytes = max_bytes

    async def verdict(self, file: Path) -> FileVerdict:
        """Raises what a search raises, but for what is wrong with the file."""
        try:
            content = await asyncio.to_thread(self._read, file)
            options = SearchOptions(limit=COMPARED, preview=True)
            answer = await self._core.engine.search(FileQuery(content), options)
        except InvalidImage as error:
            return FileVerdict(os.fspath(file), "refused", detail=str(error))
        return await asyncio.to_thread(self._judged, file, answer.preview, answer.hits)

    def _read(self, file: Path) -> bytes:
        """Raises InvalidImage."""
        try:
            size = file.stat().st_size
            if size > self._max_bytes:
                raise TooManyBytes(f"The file has {size:,} bytes; at most {self._max_bytes:,} are accepted.")
            content = file.read_bytes()
        except OSError as error:
            raise UnreadableFile("The file cannot be read: check its name and its permissions.") from error
        if not content:
            raise EmptyImage("The file is empty.")
        return content

    def _judged(self, file: Path, preview: bytes, hits: Sequence[Hit]) -> FileVerdict:
        own = SmallPicture.of(_shrunk(preview))
        kin = [(hit, self._kinship(own, hit)) for hit in hits]
        return FileVerdict.of(
            os.fspath(file),
            [
                Match(hit.record.image_id, path, hit.distance, hit.likeness, found)
                for hit, found in kin
                if found is not None
                for path in hit.record.paths
            ],
        )

    def _kinship(self, own: SmallPicture, hit: Hit) -> Kinship | None:
        if hit.likeness is Likeness.IDENTICAL:
            return Kinship.IDENTICAL
        theirs = picture_of(self._layout, hit.record.image_id)
        return None if theirs is None else kinship(agreement(own, theirs))


def _shrunk(webp: bytes) -> NDArray[np.uint8]:
    """Of a WebP file that the engine has made: at the size at which pictures are compared."""
    image = Image.open(BytesIO(webp)).convert("RGB")
    scale = min(1.0, LONG_SIDE_PX / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA), np.uint8)
