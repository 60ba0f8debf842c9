"""What the tests have the pool's workers do. Imported by every worker, so it imports little."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from imagesearch.errors import TooManyPixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imagesearch.local_features import LocalFeatures


def echo(value: object) -> object:
    return value


def refuse(sentence: str) -> None:
    raise TooManyPixels(sentence)


def divide(dividend: int, divisor: int) -> float:
    return dividend / divisor


def die(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)


def exit_silently() -> None:
    os._exit(0)


def compute_for_ever() -> int:
    return sum(range(10**14))  # one call into C: no bytecode in between at which a handler could run


def allocate(size_bytes: int) -> int:
    return len(bytes(size_bytes))


def touch_and_wait(mine: Path, other: Path) -> int:
    mine.touch()
    while not other.exists():
        time.sleep(0.005)
    return os.getpid()


class Insatiable:
    """In place of a `RootSift`: takes more memory than any worker has."""

    long_side_px = 1024

    def extract(self, rgb: NDArray[np.uint8]) -> LocalFeatures:
        import cv2

        cv2.resize(rgb, (30_000, 30_000))
        raise AssertionError
