"""What the index would lose by photos that are gone: a little is taken, of much it is asked first."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from imagesearch.errors import StoreError
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import KnownFile, Ledger
from indexer.errors import ImagesFolderError
from indexer.intake import images_among
from indexer.passed_over import Exclusion
from indexer.refusals import conditions
from indexer.settings import IndexerSettings
from indexer.walk import Listing, Plan, make_plan

LARGE_LOSS = 10
"""Images: fewer are taken to be gone, whatever share of the index they are."""
LARGE_SHARE = 0.25
"""Of the images: where more of them are gone, a disk may not be mounted, or a sub-folder be given instead."""


def apart(vanished: Sequence[str], settings: IndexerSettings) -> tuple[list[str], list[str]]:
    """What is passed over now and was not before, which nobody misses, and what is gone."""
    exclusion = Exclusion(settings.exclude)
    unwanted = [path for path in vanished if exclusion.passes_over(path)]
    return unwanted, sorted(set(vanished) - set(unwanted))


def images_lost(known: Mapping[str, KnownFile], vanished: Collection[str]) -> int:
    """How many images would be left without a file, not counting those that are known no more."""
    gone = known.keys() & set(vanished)
    staying = {file.image_id for path, file in known.items() if path not in gone}
    return len({known[path].image_id for path in gone} - staying - {None})


def is_large(lost: int, held: int) -> bool:
    """held: images in the index before."""
    return lost >= LARGE_LOSS and lost > LARGE_SHARE * held


def check_something_stays(ledger: Ledger, plan: Plan, settings: IndexerSettings) -> None:
    """A folder that shares neither a path nor a photo with the index is another one, given by mistake."""
    held = ledger.file_count()
    if not held or plan.dropped < held or any(images_among(ledger, settings.images_dir, plan.changed)):
        return
    raise ImagesFolderError(
        f"None of the photos in the index ({held}) is in {settings.images_dir}, and nothing was changed. For "
        "another folder give another store: --store or INDEXER_STORE_DIR (STORE= with make). To let "
        "everything indexed so far go, say --accept-loss."
    )


def check_before_rebuild(layout: StoreLayout, listing: Listing, settings: IndexerSettings) -> None:
    """A rebuild keeps nothing of what is gone, so that it refuses a large loss. Raises ImagesFolderError.

    Of a damaged ledger nothing can be told, and to write another one is what a rebuild is for.
    """
    try:
        ledger = Ledger.open(layout.ledger_path)
        if ledger is None:
            return
        with ledger:
            known, held = ledger.known_files(), ledger.image_count()
            plan = make_plan(listing, known, conditions(settings))
            check_something_stays(ledger, plan, settings)
            lost = images_lost(known, apart(plan.vanished, settings)[1])
            if is_large(lost, held):
                lost -= len(set(images_among(ledger, settings.images_dir, plan.changed)))
    except (StoreError, sqlite3.Error):
        return
    if is_large(lost, held):
        raise ImagesFolderError(
            f"{lost} of the {held} images in the index are not in {settings.images_dir}, and nothing was "
            "changed. Is a disk not mounted? To let them go, say --accept-loss."
        )
