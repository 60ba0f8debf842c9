"""Pictures to compare, from the store's thumbnails."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from imagesearch.ranking.alignment import SmallPicture
from imagesearch.store.layout import StoreLayout


def picture_of(layout: StoreLayout, image_id: str) -> SmallPicture | None:
    """None where the thumbnail is gone."""
    try:
        thumbnail = layout.thumbnail_path(image_id).read_bytes()
    except OSError:
        return None
    return SmallPicture.of(np.asarray(Image.open(BytesIO(thumbnail)).convert("RGB"), np.uint8))
