"""Whether two images of a snapshot are akin: by their local features first, then by their thumbnails."""

from __future__ import annotations

from functools import lru_cache, partial
from io import BytesIO

import numpy as np
from PIL import Image

from imagesearch.errors import StoreError
from imagesearch.local_features import LocalFeatures
from imagesearch.local_features.mirrored import mirrored
from imagesearch.local_features.storage import SegmentedFeatures
from imagesearch.ranking.alignment import SmallPicture, agreement
from imagesearch.ranking.kinship import Kinship, kinship
from imagesearch.ranking.likeness import same_pixels
from imagesearch.ranking.verification import verify
from imagesearch.store.layout import StoreLayout
from imagesearch.store.records import ImageRecord
from imagesearch.store.snapshot import Snapshot
from imagesearch.store.thumbnails import read_thumbnail

PICTURES_HELD = 512
"""Each holds some 400 kB."""
QUICK_FEATURES = 200
"""The strongest of each image tell quickly that two have nothing to do with one another: 1 ms, not 30."""


class Judge:
    """Thread-safe."""

    def __init__(self, layout: StoreLayout, snapshot: Snapshot) -> None:
        self._features = lru_cache(PICTURES_HELD)(partial(_strongest, snapshot.local_features))
        self._picture = lru_cache(PICTURES_HELD)(partial(picture_of, layout))

    def kinship(
        self, rows: tuple[int, int], records: tuple[ImageRecord, ImageRecord], distance: float
    ) -> Kinship | None:
        """None where they are not akin, or where a thumbnail is gone."""
        left, right = records
        if same_pixels(distance, (left.width, left.height), (right.width, right.height)):
            return Kinship.IDENTICAL
        if not self._may_be_akin(*rows):
            return None
        pictures = [self._picture(record.image_id) for record in records]
        if pictures[0] is None or pictures[1] is None:
            return None
        return kinship(agreement(pictures[0], pictures[1]))

    def _may_be_akin(self, left: int, right: int) -> bool:
        """By the local features that the snapshot keeps; without any, everything may."""
        one, other = self._features(left), self._features(right)
        if one is None or other is None:
            return True
        return verify(one, other) is not None or verify(mirrored(one), other) is not None


def _strongest(table: SegmentedFeatures | None, row: int) -> LocalFeatures | None:
    return None if table is None else table.features(row).first(QUICK_FEATURES)


def picture_of(layout: StoreLayout, image_id: str) -> SmallPicture | None:
    """None where the thumbnail is gone."""
    try:
        thumbnail = read_thumbnail(layout, image_id)
    except StoreError:
        return None
    return SmallPicture.of(np.asarray(Image.open(BytesIO(thumbnail)).convert("RGB"), np.uint8))
