"""What one build did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from imagesearch.pictures.formats import kind_of_refusal
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.records import RefusedFile
from imagesearch.store.snapshot import current_version
from indexer.intake import Tally
from indexer.walk import Listing, Plan

REFUSED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Update:
    """What became of the ledger."""

    plan: Plan
    tally: Tally
    missing: int
    intake_s: float


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
    missing: int
    """Images that are gone from the folder and stay in the index, because they are so many."""
    refused: int
    """All that cannot be indexed, found by this build or before."""
    refused_first: list[RefusedFile]
    """The first of them in order of path."""
    ignored: int
    """No photos by their names, or hidden."""
    passed_over: dict[str, int]
    """How many folders of each kind were passed over with all that is in them, and excluded files."""
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


def summary_of(
    layout: StoreLayout, ledger: Ledger, listing: Listing, update: Update, published: bool, seconds: float
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
        dropped=0 if update.missing else plan.dropped,
        missing=update.missing,
        refused=ledger.refused_count(),
        refused_first=list(islice(ledger.refused(), REFUSED_SHOWN)),
        ignored=listing.ignored,
        passed_over=dict(listing.passed_over.most_common()),
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
