"""The service as a process of its own, with a fake network that takes its time: python -m … SECONDS"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import imagesearch.backbones
from extractor_service.__main__ import main
from imagesearch.backbones.base import Backbone
from tests.fakes import FakeBackbone


class SlowBackbone(FakeBackbone):
    def __init__(self, seconds_per_run: float) -> None:
        self._seconds_per_run = seconds_per_run

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self._seconds_per_run)
        return super().embed(images)


def load_slow(models_dir: Path, *_: Any, **__: Any) -> Backbone:
    return SlowBackbone(float(sys.argv[1]))


if __name__ == "__main__":
    imagesearch.backbones.load_backbone = load_slow  # type: ignore[assignment]
    sys.exit(main([]))
