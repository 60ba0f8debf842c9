"""Small photos for the tests of the indexer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.imagesearch.pictures.drawn import encoded, photo_like

ACCEPTED_FORMATS = {
    "a.jpg": "JPEG",
    "b.JPEG": "JPEG",
    "c.jpe": "JPEG",
    "d.JFIF": "JPEG",
    "e.png": "PNG",
    "f.webp": "WEBP",
    "g.gif": "GIF",
    "h.bmp": "BMP",
    "i.avif": "AVIF",
    "j.heic": "HEIF",
    "k.heif": "HEIF",
    "l.HIF": "HEIF",
    "m.tif": "TIFF",
}


def draw(path: Path, seed: int, image_format: str = "PNG") -> None:
    """A picture of 4 × 4 random colours, another one for each seed."""
    colours = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(colours).resize((64, 48), Image.Resampling.NEAREST)
    picture.save(path, image_format)


def draw_texture(path: Path, seed: int) -> None:
    """A picture with corners and blobs at many places and sizes."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (240 // cell, 320 // cell, 3), dtype=np.uint8)).resize(
            (320, 240), Image.Resampling.BICUBIC
        )
        for cell in (4, 8)
    ]
    Image.blend(layers[0], layers[1], 0.5).save(path, "PNG")


def draw_damaged(path: Path, seed: int = 0) -> None:
    """A file whose last rows are missing."""
    whole = encoded(photo_like(seed), "PNG")
    path.write_bytes(whole[: len(whole) * 95 // 100])


def draw_many(folder: Path, seeds: range) -> None:
    """Spread over a few sub-folders."""
    for seed in seeds:
        draw(folder / f"{seed % 3}" / f"{seed:04d}.png", seed)
