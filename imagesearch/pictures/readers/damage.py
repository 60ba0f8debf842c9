"""How much of a picture a damaged file still shows, and what is said of one that is refused.

A file that was cut is completed by several endings of noise: what was in the file comes out the same with
each of them, and what was not differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.errors import UndecodableImage

MIN_SHOWN = 0.9
"""The share of its pixels that a damaged picture must show to be accepted."""
ENDINGS = 3
"""Noises that must be decoded before a share is believed."""
EDGE = 2
NOISY_BYTES = (1 << 40, 3)
"""How long an ending is noise before it is zeros: formats that know invalid data bear but a little."""


def check_shown(share: float) -> None:
    """Raises UndecodableImage where too little is left to speak of a picture."""
    if share < MIN_SHOWN:
        raise UndecodableImage("The image cannot be decoded: only a part of the picture is there.")


def damaged_file() -> UndecodableImage:
    """The error for a file that shows nothing at all."""
    return UndecodableImage("The image cannot be decoded: the file is truncated or damaged.")


def too_costly(what: str) -> UndecodableImage:
    """The error for a file whose structure would take far longer to decode than its picture is worth."""
    return UndecodableImage(f"The image would take too long to decode: the file has too many {what}.")


def completions(decode: Callable[[bytes], Image.Image], missing: int, present: int) -> list[Image.Image]:
    """What `decode` makes of several endings of so many bytes: pictures of one size.

    Raises UndecodableImage where it takes none, and where less is present than missing.
    """
    if missing > present:
        check_shown(0)
    pictures = []
    for ending in _endings(missing):
        try:
            pictures.append(decode(ending))
        except (OSError, ValueError, RuntimeError):
            continue
        if len(pictures) == ENDINGS:
            return pictures
    raise damaged_file()


def share_alike(pictures: list[Image.Image]) -> float:
    """The share of the pixels that are the same in all."""
    first, *others = (np.asarray(picture.convert("RGBA")) for picture in pictures)
    return float(np.logical_and.reduce([(first == other).all(axis=2) for other in others]).mean())


def share_before_difference(pictures: list[NDArray[np.uint8]], unit: tuple[int, int]) -> float:
    """The share of the picture before the place from where no two are the same.

    pictures: shape=(H, W, C) each. unit: width and height of the blocks that are coded one after the other,
    row by row.
    """
    return min(_before_difference(first, second, unit) for first, second in combinations(pictures, 2))


def share_of_shade(pixels: NDArray[np.uint8], shade: int, unit: tuple[int, int]) -> float:
    """The share of the units that are of one shade throughout, but for edges, which are blended with others.

    pixels: shape=(H, W, C).
    """
    other = _in_units((pixels != shade).any(axis=2), unit)[:, EDGE:-EDGE, :, EDGE:-EDGE]
    return float(1 - other.any(axis=(1, 3)).mean())


def _endings(length: int) -> Iterator[bytes]:
    for noisy in NOISY_BYTES:
        for seed in range(2 * ENDINGS):
            noise = np.random.default_rng(seed).integers(0, 256, min(length, noisy), np.uint8).tobytes()
            yield noise + bytes(length - len(noise))


def _before_difference(first: NDArray[np.uint8], second: NDArray[np.uint8], unit: tuple[int, int]) -> float:
    parted = _in_units((first != second).any(axis=2), unit).any(axis=(1, 3)).ravel()
    return float(parted.argmax() / parted.size) if parted.any() else 1.0


def _in_units(flags: NDArray[np.bool_], unit: tuple[int, int]) -> NDArray[np.bool_]:
    """shape=(H, W) to shape=(rows, unit height, columns, unit width), filled up with False."""
    (height, width), (unit_width, unit_height) = flags.shape, unit
    padded = np.pad(flags, ((0, -height % unit_height), (0, -width % unit_width)))
    return padded.reshape(padded.shape[0] // unit_height, unit_height, -1, unit_width)
