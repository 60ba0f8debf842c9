"""One picture altered, or two shots of the same."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from imagesearch.ranking.alignment import SmallPicture, agreement
from imagesearch.ranking.kinship import Kinship, kinship

SIZE = (256, 192)


def scene(seed: int = 0) -> Image.Image:
    """A picture twice as large as those that are compared, with things of many sizes."""
    rng = np.random.default_rng(seed)
    width, height = 2 * SIZE[0], 2 * SIZE[1]
    layers = [
        cv2.resize(rng.random((height // cell, width // cell, 3), np.float32), (width, height))
        for cell in (8, 24, 64)
    ]
    return Image.fromarray(np.asarray(255 * sum(layers) / 3, np.uint8))


def small(picture: Image.Image) -> SmallPicture:
    return SmallPicture.of(np.asarray(ImageOps.contain(picture.convert("RGB"), (256, 256)), np.uint8))


def found(one: Image.Image, other: Image.Image) -> Kinship | None:
    return kinship(agreement(small(one), small(other)))


def _jpeg(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer)


def _captioned(picture: Image.Image) -> Image.Image:
    out = ImageOps.expand(picture, (0, 0, 0, 60), "black")
    ImageDraw.Draw(out).text((20, picture.height + 20), "A day by the sea", fill="white")
    return out


ALTERATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "recompressed": _jpeg,
    "shrunk": lambda picture: picture.resize((150, 112)),
    "squeezed": lambda picture: picture.resize((512, 300)),
    "cut": lambda picture: picture.crop((150, 60, 460, 300)),
    "mirrored": ImageOps.mirror,
    "mirrored and cut": lambda picture: ImageOps.mirror(picture).crop((40, 40, 440, 340)),
    "on its side": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "turned": lambda picture: picture.rotate(20, Image.Resampling.BICUBIC, expand=True),
    "darkened": lambda picture: picture.point([int(255 * (v / 255) ** 2) for v in range(256)] * 3),
    "without colour": lambda picture: ImageOps.grayscale(picture),
    "in a frame": lambda picture: ImageOps.expand(picture, 50, "white"),
    "with a caption": _captioned,
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_an_altered_copy_is_one_picture(alter: Callable[[Image.Image], Image.Image]) -> None:
    assert found(scene(), alter(scene())) is Kinship.ALTERED
    assert found(alter(scene()), scene()) is Kinship.ALTERED


def next_of_a_burst(picture: Image.Image) -> Image.Image:
    """A shot from a hand's breadth aside: nearer things have moved further."""
    rgb = np.asarray(picture)
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    depth = cv2.resize(np.random.default_rng(7).random((4, 5), np.float32), (width, height))
    moved = cv2.remap(rgb, x + 4 + 6 * depth, y + 2, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return Image.fromarray(moved)


def test_the_next_shot_of_a_burst_is_another_picture() -> None:
    assert found(scene(), next_of_a_burst(scene())) is Kinship.SIMILAR


def test_the_same_background_with_something_else_before_it_is_another_picture() -> None:
    other = scene()
    other.paste(scene(1).crop((0, 0, 200, 200)), (160, 100))
    assert found(scene(), other) is Kinship.SIMILAR


def test_what_shares_a_title_bar_is_not_akin() -> None:
    one, other = scene(1), scene(2)
    for picture in (one, other):
        picture.paste(scene(3).crop((0, 0, 512, 60)), (0, 0))
    assert found(one, other) is None


def test_other_scenes_are_not_akin() -> None:
    assert found(scene(0), scene(1)) is None


@pytest.mark.parametrize(
    "rgb",
    [np.zeros((192, 256, 3), np.uint8), np.zeros((1, 1, 3), np.uint8), np.zeros((1, 256, 3), np.uint8)],
    ids=["without texture", "one pixel", "one row"],
)
def test_what_shows_nothing_is_akin_to_nothing(rgb: NDArray[np.uint8]) -> None:
    assert kinship(agreement(SmallPicture.of(rgb), small(scene()))) is None
    assert kinship(agreement(SmallPicture.of(rgb), SmallPicture.of(rgb))) is None
