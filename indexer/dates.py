"""Dates for images that a ledger of an older version holds without: read from files, nothing described."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice

from imagesearch.errors import InvalidImage, UnreadableFile
from imagesearch.host.cpus import available_cpus
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.taken import taken_at_of_any
from imagesearch.store.ledger import Ledger
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)

BATCH = 500
"""Images whose dates are committed together, and that a kill can cost."""


def add_dates(ledger: Ledger, settings: IndexerSettings) -> None:
    """What it has committed when it is killed, it need not do again. A file that cannot be read just now is
    asked again by the next build."""
    undated = iter(ledger.undated().items())
    batch = dict(islice(undated, BATCH))
    if not batch:
        return
    logger.info("Reading when the photos were taken; they need not be described again.")
    workers = settings.workers or available_cpus()
    with DecodePool(workers, settings.decode_timeout_s, settings.decode_memory_bytes) as pool:
        while batch:
            ledger.write_dates(dict(_dates(pool, batch, settings)))
            batch = dict(islice(undated, BATCH))


def _dates(
    pool: DecodePool, images: Mapping[str, Sequence[str]], settings: IndexerSettings
) -> Iterator[tuple[str, str]]:
    """images: the paths of each, by image id."""
    futures = {
        image_id: pool.submit(
            str,
            taken_at_of_any,
            [settings.images_dir / path for path in paths],
            settings.max_image_bytes,
        )
        for image_id, paths in images.items()
    }
    for image_id, future in futures.items():
        date = _settled(future)
        if date is not None:
            yield image_id, date


def _settled(future: Future[str]) -> str | None:
    """None where no file could be read."""
    try:
        return future.result()
    except UnreadableFile:
        return None
    except InvalidImage:  # what costs too much has no date
        return ""
