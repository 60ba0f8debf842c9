"""The job: a folder of photos in, a published snapshot out."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

from imagesearch.errors import StoreError
from imagesearch.pictures.formats import kind_of_refusal
from imagesearch.store.durable import exclusive, full_disk_as_store_full
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.ledger_file import install_ledger
from imagesearch.store.records import RefusedFile
from imagesearch.store.snapshot import current_version
from indexer.errors import ImagesFolderError
from indexer.intake import Intake, Tally, holds_any
from indexer.ledgers import OpenedLedger, rebuild_ledger, store_ledger
from indexer.network_source import Networks
from indexer.publication import publish_if_behind
from indexer.refusals import conditions
from indexer.settings import IndexerSettings
from indexer.walk import Listing, Plan, make_plan, walk

logger = logging.getLogger(__name__)

ShowProgress = Callable[[int], AbstractContextManager[Callable[[int], object]]]
"""Called with the number of files to settle; gives what is called with each number of files settled."""


@dataclass(frozen=True, slots=True)
class _Update:
    """What became of the ledger."""

    plan: Plan
    tally: Tally
    intake_s: float


def build(
    settings: IndexerSettings,
    networks: Networks,
    show_progress: ShowProgress,
    *,
    rebuild: bool = False,
    allow_empty: bool = False,
) -> Summary:
    """Brings the store up to the folder: describes what is new, forgets what is gone, and publishes.

    rebuild: describe everything, with the network that the settings ask for. allow_empty: let the index
    become empty, or let go of everything it holds for the photos of another folder. Whatever interrupts
    it, the live snapshot stays whole and what has been described is kept.
    Raises ImagesFolderError, InvalidOption, StoreError and ModelError.
    """
    started = time.perf_counter()
    layout = StoreLayout(settings.store_dir)
    listing = _list_photos(settings, allow_empty)
    with full_disk_as_store_full(), exclusive(layout):
        if rebuild:
            if not allow_empty:
                _check_same_folder(layout, listing, settings)
            with rebuild_ledger(settings, layout, networks) as opened:
                update = _update(settings, listing, opened, show_progress, allow_empty)
            install_ledger(layout.rebuild_ledger_path, layout.ledger_path)
        else:
            with store_ledger(settings, layout, networks) as opened:
                update = _update(settings, listing, opened, show_progress, allow_empty)
        with _finished(layout) as ledger:
            published = publish_if_behind(layout, ledger, settings)
            seconds = time.perf_counter() - started
            return _summary(layout, ledger, listing, update, published, seconds)


def _list_photos(settings: IndexerSettings, allow_empty: bool) -> Listing:
    listing = walk(settings.images_dir, settings.store_dir)
    for folder in listing.unreadable_folders:
        logger.warning("The folder %s cannot be read; what is known of it is kept.", folder)
    if listing.photos or listing.unreadable_folders or allow_empty:
        return listing
    raise ImagesFolderError(
        f"There are no photos in {settings.images_dir}, and nothing was changed. Is its disk mounted? "
        "To make the index empty, say --allow-empty."
    )


def _finished(layout: StoreLayout) -> Ledger:
    """The ledger that has just been brought up to date."""
    ledger = Ledger.open(layout.ledger_path)
    assert ledger is not None
    return ledger


def _update(
    settings: IndexerSettings,
    listing: Listing,
    opened: OpenedLedger,
    show_progress: ShowProgress,
    allow_empty: bool,
) -> _Update:
    ledger, load = opened
    known = ledger.known_files()
    corrupt = set(ledger.corrupt_images())
    plan = make_plan(listing, known, conditions(settings), corrupt)
    if not allow_empty:
        _check_something_stays(ledger, plan, settings)
    started = time.perf_counter()
    if corrupt:
        logger.warning("The ledger is damaged: it lost what it held of %d images.", len(corrupt))
        ledger.drop_images(sorted(corrupt))
    for refusal in plan.refusals:
        ledger.refuse(refusal.file, refusal.reason, refusal.detail)
    with show_progress(len(plan.changed)) as advance:
        intake = Intake(settings, ledger, known, load, advance)
        intake.take(plan.changed)
    intake_s = time.perf_counter() - started
    ledger.forget(plan.vanished)
    if not allow_empty:
        _check_something_is_left(ledger, settings)
    return _Update(plan, intake.tally, intake_s)


def _check_something_stays(ledger: Ledger, plan: Plan, settings: IndexerSettings) -> None:
    """A folder that shares neither a path nor a photo with the index is another one, given by mistake."""
    held = ledger.file_count()
    if not held or plan.dropped < held or holds_any(ledger, settings.images_dir, plan.changed):
        return
    raise ImagesFolderError(
        f"None of the photos in the index ({held}) is in {settings.images_dir}, and nothing was changed. For "
        "another folder give another store: --store or INDEXER_STORE_DIR (STORE= with make). To let "
        "everything indexed so far go, say --allow-empty."
    )


def _check_same_folder(layout: StoreLayout, listing: Listing, settings: IndexerSettings) -> None:
    """Before a rebuild, whose own ledger is empty: the same for the store's, where it can be read."""
    try:
        ledger = Ledger.open(layout.ledger_path)
        if ledger is None:
            return
        with ledger:
            plan = make_plan(listing, ledger.known_files(), conditions(settings))
            _check_something_stays(ledger, plan, settings)
    except (StoreError, sqlite3.Error):
        return  # to mend a damaged one is what a rebuild is for


def _check_something_is_left(ledger: Ledger, settings: IndexerSettings) -> None:
    if ledger.image_count():
        return
    first = next(ledger.refused(), None)
    example = f" The first is {first.path}: {first.detail}" if first else ""
    raise ImagesFolderError(
        f"Not one photo in {settings.images_dir} can be indexed, and nothing was published.{example}"
    )


def _summary(
    layout: StoreLayout, ledger: Ledger, listing: Listing, update: _Update, published: bool, seconds: float
) -> Summary:
    plan, tally = update.plan, update.tally
    return Summary(
        snapshot=current_version(layout) or "",
        published=published,
        images=ledger.image_count(),
        descriptor=ledger.recipe.descriptor,
        model=ledger.recipe.model.name,
        model_note=ledger.model_note,
        added=tally.added,
        changed=tally.changed,
        kept=plan.kept + tally.kept,
        dropped=plan.dropped,
        refused=ledger.refused_count(),
        refused_first=list(islice(ledger.refused(), REFUSED_SHOWN)),
        ignored=listing.ignored,
        left_out=_left_out(ledger, listing),
        damaged=ledger.damaged_count(),
        described=tally.described,
        seconds=round(seconds, 3),
        photos_per_second=round(len(plan.changed) / update.intake_s, 2) if plan.changed else 0.0,
    )


def _left_out(ledger: Ledger, listing: Listing) -> dict[str, int]:
    kinds = listing.ignored_kinds.copy()
    for detail, count in ledger.refused_counts().items():
        if kind := kind_of_refusal(detail):
            kinds[kind] += count
    return dict(kinds.most_common())


REFUSED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts are of files, except where they say otherwise."""

    snapshot: str
    """The live snapshot's version."""
    published: bool
    """False where the snapshot that was live already says it all."""
    images: int
    """Distinct images in the index."""
    descriptor: str
    model: str
    model_note: str
    added: int
    """In the index, and not before."""
    changed: int
    """In the index as before, with another content."""
    kept: int
    """In the index as before."""
    dropped: int
    """Gone from the folder, and so from the index."""
    refused: int
    """All that cannot be indexed, found by this build or before."""
    refused_first: list[RefusedFile]
    """The first of them in order of path."""
    ignored: int
    """No photos by their names, or hidden."""
    left_out: dict[str, int]
    """How many of the refused and the ignored are of each kind that is known and not accepted, most first."""
    damaged: int
    """Images in the index of which a part is missing or wrong."""
    described: int
    """Images that went through the network."""
    seconds: float
    """The whole build."""
    photos_per_second: float
    """New and changed files, while they were taken in; 0 where there were none."""
