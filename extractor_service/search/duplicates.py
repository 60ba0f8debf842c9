"""Groups of near-identical images, as the indexer has found them, of the live snapshot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.served_snapshot import ServedSnapshot
from imagesearch.errors import InvalidOption
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicate_groups import Group, groups
from imagesearch.store.duplicates import duplicates_state, read_duplicates

MAX_GROUPS = 100
"""Of one page."""

Groups = dict[Kinship, list[Group]]


@dataclass(frozen=True, slots=True)
class GroupPage:
    kind: Kinship
    groups: Sequence[Group]
    total: int


class DuplicateLists:
    """Makes the groups once for each snapshot and each state of what is known of it."""

    def __init__(self, live: LiveIndex) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._made: tuple[object, Groups] | None = None

    async def page(self, kind: str, limit: int, offset: int) -> GroupPage:
        """kind: empty for the closest of which there is a group. Raises IndexNotReady and InvalidOption."""
        if kind and kind not in tuple(Kinship):
            raise InvalidOption(f"The kind must be one of {', '.join(Kinship)}.")
        if not 1 <= limit <= MAX_GROUPS:
            raise InvalidOption(f"The limit must be from 1 to {MAX_GROUPS}.")
        with self._live.use() as served:
            found = await asyncio.to_thread(self._groups, served)
        wanted = Kinship(kind) if kind else next((each for each in Kinship if found[each]), Kinship.IDENTICAL)
        return GroupPage(wanted, found[wanted][offset : offset + limit], len(found[wanted]))

    def _groups(self, served: ServedSnapshot) -> Groups:
        with self._lock:
            key = (served.version, duplicates_state(self._live.layout))
            if self._made is None or self._made[0] != key:
                pairs, records = served.snapshot.akin(read_duplicates(self._live.layout).pairs)
                self._made = key, {kind: groups(pairs, records, kind) for kind in Kinship}
            return self._made[1]
