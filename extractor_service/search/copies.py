"""Results that are one picture stand as one: the first for all."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from extractor_service.live.served_snapshot import ServedSnapshot
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicate_groups import joined
from imagesearch.store.duplicates import duplicates_state, read_duplicates
from imagesearch.store.layout import StoreLayout

ONE_PICTURE = (Kinship.IDENTICAL, Kinship.ALTERED)


class Copies:
    """Knows which rows are one picture. Reads them once for each snapshot and each state of what is known."""

    def __init__(self, layout: StoreLayout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._made: tuple[object, dict[int, str]] | None = None

    def collapsed(self, served: ServedSnapshot, rows: Sequence[int]) -> dict[int, list[int]]:
        """By the place of each result that stays, the places of those that it stands for."""
        picture_of = self._pictures(served)
        first: dict[object, int] = {}
        kept: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            stands = first.setdefault(picture_of.get(row, row), place)
            if stands == place:
                kept[place] = []
            else:
                kept[stands].append(place)
        return kept

    def _pictures(self, served: ServedSnapshot) -> dict[int, str]:
        """For each row that has copies, an id that they share."""
        with self._lock:
            key = (served.version, duplicates_state(self._layout))
            if self._made is None or self._made[0] != key:
                pairs, _ = served.snapshot.akin(read_duplicates(self._layout).pairs)
                stands = joined(pair for pair, kind in pairs.items() if kind in ONE_PICTURE)
                rows = ((served.snapshot.row_of(image_id), root) for image_id, root in stands.items())
                self._made = key, {row: root for row, root in rows if row is not None}
            return self._made[1]
