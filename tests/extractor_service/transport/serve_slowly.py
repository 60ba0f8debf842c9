"""The service as a process of its own, with a fake network that takes its time: python -m … SECONDS"""

from __future__ import annotations

import asyncio
import logging
import sys
import time

import numpy as np
from numpy.typing import NDArray

from extractor_service.settings import ExtractorSettings
from extractor_service.transport.server import serve
from imagesearch.backbones.base import Backbone, ModelIdentity, Precision
from tests.fakes import FakeBackbone


class SlowBackbone(FakeBackbone):
    def __init__(self, seconds_per_run: float) -> None:
        self._seconds_per_run = seconds_per_run

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self._seconds_per_run)
        return super().embed(images)


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        return SlowBackbone(float(sys.argv[1]))

    return 0 if asyncio.run(serve(ExtractorSettings(), load)) else 1


if __name__ == "__main__":
    sys.exit(main())
