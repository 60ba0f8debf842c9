"""Photos of any size, decoded once and kept small, so that an epoch does not decode megapixels again."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from imagesearch.errors import InvalidImage
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.prepare import webp
from training.batches import decode_picture
from training.checkpoints import disk_full_told
from training.pictures import LabelledPictures, find_pictures
from training.views import Pixels

CROP_MARGIN = 1.5
"""A crop of half the area still has as many pixels as the network takes."""


def prepare(
    pictures: LabelledPictures,
    archive: Path,
    size_px: int,
    limits: ImageLimits,
    advance: Callable[[int], object],
) -> tuple[LabelledPictures, list[str]]:
    """Writes the pictures into a zip file, the short side about `size_px` times CROP_MARGIN.

    Returns the pictures in it and the paths of those that cannot be decoded. Raises DiskFull.
    """
    unreadable = []
    unfinished = archive.with_name(f".{archive.name}.tmp")
    with disk_full_told(unfinished), zipfile.ZipFile(unfinished, "w") as file:
        for picture in pictures.pictures:
            try:
                rgb = _shrunk(decode_picture(picture, limits), round(size_px * CROP_MARGIN))
                file.writestr(f"{picture.path}.webp", webp(rgb, max(rgb.shape)))
            except InvalidImage:
                unreadable.append(picture.path)
            advance(1)
    unfinished.replace(archive)
    return find_pictures([archive]), unreadable


def _shrunk(rgb: Pixels, short_side_px: int) -> Pixels:
    """A picture that is small already keeps its size."""
    factor = short_side_px / min(rgb.shape[:2])
    if factor >= 1:
        return rgb
    height, width = (max(1, round(side * factor)) for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
