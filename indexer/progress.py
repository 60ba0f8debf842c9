"""Tells whoever reads the store how far the indexer is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from imagesearch.store.indexing import Indexing, write_indexing
from imagesearch.store.layout import StoreLayout

ShowProgress = Callable[[int], AbstractContextManager[Callable[[int], object]]]
"""Called with the number of files to settle; gives what is called with each number of files settled."""

INTERVAL_S = 1.0


class Progress:
    """Writes `indexing.json` each second, from a thread, while it is entered."""

    def __init__(self, layout: StoreLayout) -> None:
        self._layout = layout
        self._started_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.begin("listing", 0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._layout.indexing_path.unlink(missing_ok=True)

    def begin(self, phase: str, total: int) -> None:
        """See `Indexing`."""
        self._phase, self._total, self._done, self._since = phase, total, 0, time.monotonic()

    def told(self, phase: str, show_progress: ShowProgress) -> ShowProgress:
        """The same progress for those who watch and for those who read."""

        @contextmanager
        def both(total: int) -> Iterator[Callable[[int], object]]:
            self.begin(phase, total)
            with show_progress(total) as advance:

                def settled(count: int) -> None:
                    advance(count)
                    self._done += count

                yield settled

        return both

    def _write(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            per_second = self._done / max(time.monotonic() - self._since, 1e-3)
            now = Indexing(self._phase, self._done, self._total, round(per_second, 2), self._started_at)
            with suppress(OSError):  # of a full disk others tell
                write_indexing(self._layout, now)
