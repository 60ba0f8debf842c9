"""Results that are one picture stand as one: the first for all."""

from __future__ import annotations

from collections.abc import Sequence

from extractor_service.live.served_snapshot import ServedSnapshot
from extractor_service.search.duplicates import Akin, OfAkin
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicate_groups import joined
from imagesearch.store.layout import StoreLayout

ONE_PICTURE = (Kinship.IDENTICAL, Kinship.ALTERED)


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
