"""Follows a folder: what comes, changes or goes is published within seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext

from imagesearch.errors import StoreBusy, StoreError, StoreFull, VectorsUnavailable
from imagesearch.store.durable import exclusive
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import KnownFile, Ledger
from imagesearch.store.versions import prune
from indexer.build import Options, build
from indexer.changes import Changes
from indexer.collections import drop_unnamed
from indexer.errors import ImagesFolderError
from indexer.network_source import Networks
from indexer.progress import Progress, ShowProgress
from indexer.refusals import conditions
from indexer.settings import IndexerSettings
from indexer.steady import SETTLE_S, Steady
from indexer.summary import Summary
from indexer.walk import Listing, Plan, check_folder, is_another, make_plan, walk

logger = logging.getLogger(__name__)

RETRY_S = 10.0
"""After what only somebody else can mend: a disk that is not mounted or is full, another indexer."""
KEPT_SNAPSHOTS = 2


class Watch:
    """One folder and its store."""

    def __init__(
        self,
        settings: IndexerSettings,
        networks: Networks,
        show_progress: ShowProgress,
        report: Callable[[Summary, bool], object],
    ) -> None:
        """report: called after the first build and each publication, with whether it is the first."""
        self._settings = settings
        self._networks = networks
        self._show_progress = show_progress
        self._report = report
        self._layout = StoreLayout(settings.store_dir)
        self._steady = Steady()
        self._is_first = True
        self._walk_s = 0.0
        self._missing: Collection[str] = ()
        self._complaint = ""

    def follow(self) -> None:
        """Until it is interrupted. Raises what `build` raises, but waits where the folder is empty, gone or
        another one, while another indexer is at work, and where the disk is full."""
        if not self._layout.ledger_path.exists():
            check_folder(self._settings.images_dir)
        changes = Changes(self._settings)
        while True:
            changes.wait(self._look(), self._walk_s)

    def _look(self) -> float:
        """Brings the store up to the folder. Returns after how many seconds to look again at the latest."""
        try:
            listing = self._walk()
            known = self._known_files()
            held = self._steady.hold_back(listing, known)
            if self._is_due(listing, known) and not (held and not listing.photos):
                self._build(listing)
            self._complaint = ""
        except (ImagesFolderError, StoreBusy, StoreFull, VectorsUnavailable) as error:
            self._complain(str(error))
            return RETRY_S
        return SETTLE_S if held else float("inf")

    def _walk(self) -> Listing:
        settings = self._settings
        began = time.monotonic()
        # Of a large folder it takes minutes before there is anything to show but this.
        with Progress(self._layout) if self._is_first else nullcontext():
            listing = walk(settings.images_dir, settings.store_dir, settings.exclude)
        self._walk_s = time.monotonic() - began
        return listing

    def _known_files(self) -> Mapping[str, KnownFile]:
        try:
            ledger = Ledger.open(self._layout.ledger_path, "ro")
        except StoreError:  # of an older version or damaged, which the build will say or mend
            return {}
        if ledger is None:
            return {}
        with ledger:
            return ledger.known_files()

    def _is_due(self, listing: Listing, known: Mapping[str, KnownFile]) -> bool:
        plan = make_plan(listing, known, conditions(self._settings))
        return self._is_first or _is_new(plan, known) or plan.vanished != self._missing

    def _build(self, listing: Listing) -> None:
        options = Options(again=not self._is_first)
        summary = build(self._settings, self._networks, self._show_progress, options, listing)
        if summary.published or self._is_first:
            self._report(summary, self._is_first)
        if summary.published:
            with exclusive(self._layout):
                prune(self._layout, KEPT_SNAPSHOTS)
                drop_unnamed(self._layout, self._settings.milvus)
        plan = make_plan(listing, self._known_files(), conditions(self._settings))
        self._missing = plan.vanished
        self._is_first = False

    def _complain(self, complaint: str) -> None:
        """Once, however often it is met."""
        if complaint != self._complaint:
            logger.warning("%s Tried again by itself.", complaint)
        self._complaint = complaint


def _is_new(plan: Plan, known: Mapping[str, KnownFile]) -> bool:
    """Whether a file is another one than before: what took too long is not tried at each look."""
    return bool(plan.refusals) or any(is_another(photo, known) for photo in plan.changed)
