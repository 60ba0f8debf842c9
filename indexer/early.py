"""What is described so far, published while the rest is still being described."""

from __future__ import annotations

import logging
import time

from imagesearch.errors import InvalidOption, NotEnoughMemory
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from indexer.publication import publish_so_far
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)

FIRST_S = 8.0
"""Before the first publication: some hundred photos."""
REST_S = 10.0
"""Between two, at least."""
MAX_SHARE = 0.1
"""Of the time may go into them, for each takes longer than the one before."""


class EarlyPublication:
    """Call it between two batches."""

    def __init__(self, layout: StoreLayout, ledger: Ledger, settings: IndexerSettings) -> None:
        self._layout = layout
        self._ledger = ledger
        self._settings = settings
        self._due = time.monotonic() + FIRST_S

    def __call__(self) -> None:
        started = time.monotonic()
        if started < self._due:
            return
        try:
            publish_so_far(self._layout, self._ledger, self._settings)
        except (InvalidOption, NotEnoughMemory) as error:  # which may be otherwise at the end
            logger.info("Not published yet: %s", error)
        self._due = time.monotonic() + max(REST_S, (time.monotonic() - started) / MAX_SHARE)
