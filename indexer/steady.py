"""A file that is still being copied waits until it is whole."""

from __future__ import annotations

import time
from collections.abc import Mapping

from imagesearch.store.ledger import FileState, KnownFile
from indexer.walk import Listing, is_another

SETTLE_S = 2.0
"""As long as this, size and modification time must have stayed the same."""


class Steady:
    """Sees one listing of a folder after the other."""

    def __init__(self) -> None:
        self._seen: dict[FileState, float] | None = None
        """When a new or changed file was first seen as it is. None before the first listing."""

    def hold_back(self, listing: Listing, known: Mapping[str, KnownFile]) -> int:
        """Takes files out of the listing that may still be written; those that are known stay as they were.

        Returns how many. In the first listing those are the files modified just now.
        """
        held = [photo for photo in self._new(listing, known) if not self._is_settled(photo)]
        if held:
            names = {photo.path for photo in held}
            listing.photos = [photo for photo in listing.photos if photo.path not in names]
            listing.photos += [known[name].state for name in names if name in known]
            listing.photos.sort(key=lambda photo: photo.path)
        return len(held)

    def _new(self, listing: Listing, known: Mapping[str, KnownFile]) -> list[FileState]:
        new = [photo for photo in listing.photos if is_another(photo, known)]
        now = time.monotonic()
        if self._seen is None:
            age_s = {photo: time.time() - photo.mtime_ns / 1e9 for photo in new}
            self._seen = {photo: now if 0 <= age_s[photo] < SETTLE_S else now - SETTLE_S for photo in new}
        self._seen = {photo: self._seen.get(photo, now) for photo in new}
        return new

    def _is_settled(self, photo: FileState) -> bool:
        assert self._seen is not None
        return time.monotonic() - self._seen[photo] >= SETTLE_S
