"""Photos as large as cameras make them, out of smaller ones: enlarged, with the grain of a sensor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.photos import photo_files

MEGAPIXELS_12 = (4032, 3024)
MEGAPIXELS_50 = (8160, 6144)
GRAIN = 6.0
"""Grey levels, standard deviation: a photo of 12 megapixels comes to some 3.4 MB, as those of phones do."""
GRAIN_TILE_PX = 1024
JPEG_QUALITY = 92


def write_photos(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Files 0.jpg, 1.jpg and so on; `count` is at most that of the photos at hand. size: width, height."""
    folder.mkdir(parents=True)
    for number, path in enumerate(photo_files()[:count]):
        (folder / f"{number}.jpg").write_bytes(large_photo(path, size, number))


def large_photo(path: Path, size: tuple[int, int], seed: int) -> bytes:
    """A JPEG file. size: width, height."""
    width, height = size
    large = cv2.resize(cv2.imread(str(path)), size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed).normal(0, GRAIN, (GRAIN_TILE_PX, GRAIN_TILE_PX, 1)).astype(np.int16)
    tiles = (-(-height // GRAIN_TILE_PX), -(-width // GRAIN_TILE_PX), 1)
    grainy = np.clip(large + np.tile(grain, tiles)[:height, :width], 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(encoded)
