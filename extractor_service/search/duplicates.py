"""What the indexer has found to be near-identical: in groups to list, or one result for all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.served_snapshot import ServedSnapshot
from imagesearch.errors import InvalidOption
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicate_groups import Group, groups, joined
from imagesearch.store.duplicates import Pair, duplicates_state, read_duplicates
from imagesearch.store.layout import StoreLayout
from imagesearch.store.records import ImageRecord

MAX_GROUPS = 100
"""Of one page."""
ONE_PICTURE = (Kinship.IDENTICAL, Kinship.ALTERED)

Made = TypeVar("Made")
Akin = tuple[Mapping[Pair, Kinship], Mapping[str, ImageRecord]]
"""See `Snapshot.akin`."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    kind: Kinship
    groups: Sequence[Group]
    total: int


class OfAkin(Generic[Made]):
    """What is made of the images that are akin, once for each snapshot and each state of what is known of it.
    Thread-safe."""

    def __init__(self, layout: StoreLayout, make: Callable[[ServedSnapshot, Akin], Made]) -> None:
        self._layout = layout
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[object, Made] | None = None

    def of(self, served: ServedSnapshot) -> Made:
        with self._lock:
            key = (served.version, duplicates_state(self._layout))
            if self._made is None or self._made[0] != key:
                akin = served.snapshot.akin(read_duplicates(self._layout).pairs)
                self._made = key, self._make(served, akin)
            return self._made[1]


class DuplicateLists:
    """Of the live snapshot."""

    def __init__(self, live: LiveIndex) -> None:
        self._live = live
        self._groups = OfAkin(live.layout, _groups)

    async def page(self, kind: str, limit: int, offset: int) -> GroupPage:
        """kind: empty for the closest of which there is a group. Raises IndexNotReady and InvalidOption."""
        if kind and kind not in tuple(Kinship):
            raise InvalidOption(f"The kind must be one of {', '.join(Kinship)}.")
        if not 1 <= limit <= MAX_GROUPS:
            raise InvalidOption(f"The limit must be from 1 to {MAX_GROUPS}.")
        with self._live.use() as served:
            found = await asyncio.to_thread(self._groups.of, served)
        wanted = Kinship(kind) if kind else next((each for each in Kinship if found[each]), Kinship.IDENTICAL)
        return GroupPage(wanted, found[wanted][offset : offset + limit], len(found[wanted]))


def _groups(_: ServedSnapshot, akin: Akin) -> dict[Kinship, list[Group]]:
    pairs, records = akin
    return {kind: groups(pairs, records, kind) for kind in Kinship}


class Copies:
    """Knows which rows are one picture."""

    def __init__(self, layout: StoreLayout) -> None:
        self._pictures = OfAkin(layout, _pictures)

    def collapsed(self, served: ServedSnapshot, rows: Sequence[int]) -> dict[int, list[int]]:
        """By the place of each result that stays, the places of those that it stands for."""
        picture_of = self._pictures.of(served)
        first: dict[object, int] = {}
        kept: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            stands = first.setdefault(picture_of.get(row, row), place)
            if stands == place:
                kept[place] = []
            else:
                kept[stands].append(place)
        return kept


def _pictures(served: ServedSnapshot, akin: Akin) -> dict[int, str]:
    """For each row that has copies, an id that they share."""
    pairs, _ = akin
    stands = joined(pair for pair, kind in pairs.items() if kind in ONE_PICTURE)
    rows = ((served.snapshot.row_of(image_id), root) for image_id, root in stands.items())
    return {row: root for row, root in rows if row is not None}
