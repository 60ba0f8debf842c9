"""One writer at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from imagesearch.errors import StoreBusy
from imagesearch.store.layout import StoreLayout


@contextmanager
def exclusive(layout: StoreLayout) -> Iterator[None]:
    """Holds the store, which is created where it is missing, against other writers; readers do not mind.

    The kernel lets go of it however the process ends. Raises StoreBusy at once.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    with layout.lock_path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreBusy("Another indexer is at work on this store; wait until it is done.") from error
        yield
