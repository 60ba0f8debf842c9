"""The job: a folder of photos in, a published snapshot out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from imagesearch.store.durable import exclusive, full_disk_as_store_full
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import FileState, Ledger
from imagesearch.store.ledger_file import install_ledger
from imagesearch.store.left_out import write_left_out
from indexer.cluster.client import connected
from indexer.dates import add_dates
from indexer.details import find_local_features
from indexer.duplicates.find import find_duplicates
from indexer.early import EarlyPublication
from indexer.errors import ImagesFolderError
from indexer.intake import Intake
from indexer.ledgers import OpenedLedger, rebuild_ledger, store_ledger
from indexer.losses import apart, check_before_rebuild, check_something_stays, images_lost, is_large
from indexer.network_source import Networks
from indexer.progress import Progress, ShowProgress
from indexer.publication import publish_if_behind
from indexer.refusals import conditions
from indexer.settings import IndexerSettings
from indexer.summary import Summary, Update, summary_of
from indexer.walk import Listing, Plan, check_folder, is_another, make_plan, walk

logger = logging.getLogger(__name__)

DETAILED_AT_ONCE = 200
"""Of so many new photos local features are found within seconds, and one snapshot will do."""


@dataclass(frozen=True, slots=True)
class Options:
    """Of one run."""

    rebuild: bool = False
    """Describe everything, with the network that the settings ask for."""
    accept_loss: bool = False
    """Let go of photos that are gone from the folder though they are so many that a disk may not be mounted,
    or the folder be another one."""
    check: bool = False
    """Read every photo, also those whose size and time are as they were."""
    again: bool = False
    """Soon after another run of this process: the ledger is whole, and what cost too much is left alone."""
    dask: str = ""
    """Address of the scheduler of a Dask cluster that describes; empty where this machine does."""


def build(
    settings: IndexerSettings,
    networks: Networks,
    show_progress: ShowProgress,
    options: Options = Options(),
    listing: Listing | None = None,
) -> Summary:
    """Brings the store up to the folder: describes what is new, forgets what is gone, and publishes, now and
    then while it describes, unless everything is described again.

    listing: of just now; made here where there is none.

    Whatever interrupts it, the live snapshot stays whole and what has been described is kept.
    Raises ImagesFolderError, InvalidOption, StoreError and ModelError.
    """
    started = time.perf_counter()
    layout = StoreLayout(settings.store_dir)
    check_folder(settings.images_dir)
    with full_disk_as_store_full(), exclusive(layout), Progress(layout) as progress:
        listing = listing or walk(settings.images_dir, settings.store_dir, settings.exclude)
        _check_listing(listing, settings, options)
        write_left_out(layout, listing.left_out)
        progress.begin("preparing", len(listing.photos))
        show = progress.told("describing", show_progress)
        if options.rebuild:
            if not options.accept_loss:
                check_before_rebuild(layout, listing, settings)
            with rebuild_ledger(settings, layout, networks) as opened:
                update = _update(settings, networks, listing, opened, show, lambda: None, options)
            install_ledger(layout.rebuild_ledger_path, layout.ledger_path)
        else:
            with store_ledger(settings, layout, networks) as opened:
                early = EarlyPublication(layout, opened[0], settings)
                update = _update(settings, networks, listing, opened, show, early, options)
        with _finished(layout) as ledger:
            bare = _without_local_features(ledger, settings, update.plan, options)
            published = _publish(layout, ledger, settings, bare, progress, show_progress)
            find_duplicates(layout, settings, progress.told("comparing", show_progress))
            seconds = time.perf_counter() - started
            return summary_of(layout, ledger, listing, update, published, seconds)


def _check_listing(listing: Listing, settings: IndexerSettings, options: Options) -> None:
    for folder in listing.unreadable_folders:
        logger.warning("The folder %s cannot be read; what is known of it is kept.", folder)
    if listing.photos or listing.unreadable_folders or options.accept_loss:
        return
    raise ImagesFolderError(
        f"There are no photos in {settings.images_dir}, and nothing was changed. Is its disk mounted? "
        "To make the index empty, say --accept-loss."
    )


def _finished(layout: StoreLayout) -> Ledger:
    """The ledger that has just been brought up to date."""
    ledger = Ledger.open(layout.ledger_path)
    assert ledger is not None
    return ledger


def _update(
    settings: IndexerSettings,
    networks: Networks,
    listing: Listing,
    opened: OpenedLedger,
    show_progress: ShowProgress,
    rest: Callable[[], object],
    options: Options,
) -> Update:
    ledger, load = opened
    known, held = ledger.known_files(), ledger.image_count()
    corrupt = set() if options.again else set(ledger.corrupt_images())
    plan = make_plan(listing, known, conditions(settings), corrupt, options.check)
    if options.again:
        plan = replace(plan, changed=[photo for photo in plan.changed if is_another(photo, known)])
    if not options.accept_loss:
        check_something_stays(ledger, plan, settings)
    started = time.perf_counter()
    if corrupt:
        logger.warning("The ledger is damaged: it lost what it held of %d images.", len(corrupt))
        ledger.drop_images(sorted(corrupt))
    for refusal in plan.refusals:
        ledger.refuse(refusal.file, refusal.reason, refusal.detail)
    with connected(options.dask, networks) as cluster, show_progress(len(plan.changed)) as advance:
        intake = Intake(settings, ledger, known, load, advance, rest, cluster)
        intake.take(plan.changed)
    intake_s = time.perf_counter() - started
    unwanted, gone = apart(plan.vanished, settings)
    ledger.forget(unwanted)
    lost = images_lost(ledger.known_files(), gone)
    missing = lost if is_large(lost, held) and not options.accept_loss else 0
    ledger.forget([] if missing else gone)
    ledger.expire_departed(settings.keep_missing_days)
    add_dates(ledger, settings)
    if not options.accept_loss:
        _check_something_is_left(ledger, settings)
    return Update(plan, intake.tally, missing, intake_s)


def _check_something_is_left(ledger: Ledger, settings: IndexerSettings) -> None:
    if ledger.image_count():
        return
    first = next(ledger.refused(), None)
    example = f" The first is {first.path}: {first.detail}" if first else ""
    raise ImagesFolderError(
        f"Not one photo in {settings.images_dir} can be indexed, and nothing was published.{example}"
    )


def _without_local_features(
    ledger: Ledger, settings: IndexerSettings, plan: Plan, options: Options
) -> list[tuple[FileState, str]]:
    """Whose local features are to be found. Soon after another run, which has left what costs too much, only
    those of what is new."""
    if not settings.local_features:
        return []
    files = ledger.without_local_features()
    changed = {photo.path for photo in plan.changed}
    return [(file, image_id) for file, image_id in files if not options.again or file.path in changed]


def _publish(
    layout: StoreLayout,
    ledger: Ledger,
    settings: IndexerSettings,
    bare: Sequence[tuple[FileState, str]],
    progress: Progress,
    show_progress: ShowProgress,
) -> bool:
    """Many new photos can be searched before their local features are found. Whether it had to."""
    published = False
    if len(bare) > DETAILED_AT_ONCE:
        progress.begin("publishing", ledger.image_count())
        published = publish_if_behind(layout, ledger, settings)
    find_local_features(settings, ledger, bare, progress.told("detailing", show_progress))
    progress.begin("publishing", ledger.image_count())
    return publish_if_behind(layout, ledger, settings) or published
