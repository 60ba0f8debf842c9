"""From starting the service to ready, with small and large collections."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.collections import Widener
from benchmarks.photos import real_descriptors
from benchmarks.report import Table
from benchmarks.services import serving
from imagesearch.backbones import resolve_precision
from imagesearch.backbones.base import Precision
from imagesearch.backbones.making import prepare_model
from imagesearch.index import IndexPlan
from imagesearch.store.content import SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord
from indexer.new_snapshot import publish

DIM = 512


def run(full: bool) -> None:
    table = Table("start", ("descriptors", "dimensions", "index", "publishing s", "start to ready s")).start()
    for count in (1_000, 100_000, 1_000_000) if full else (1_000, 100_000):
        with tempfile.TemporaryDirectory(dir="var") as directory:
            layout = StoreLayout(Path(directory))
            began = time.perf_counter()
            kind = publish_collection(layout, count)
            publishing_s = time.perf_counter() - began
            began = time.perf_counter()
            with serving(layout.root, layout.root):
                table.add(count, DIM, kind, publishing_s, time.perf_counter() - began)
    table.save()


def publish_collection(layout: StoreLayout, count: int) -> str:
    """A snapshot of widened descriptors of EfficientNet-Lite0; returns the kind of its index."""
    identity = prepare_model("efficientnet-lite0", layout.models_dir).identity
    recipe = Recipe("embedding", DIM, identity, resolve_precision(Precision.AUTO))
    images = collection(Widener(real_descriptors(), DIM), count)
    content = SnapshotContent(recipe, "", count, images, [], IndexPlan(threads=2))
    return publish(layout, content).index.kind


def collection(widener: Widener, count: int) -> Iterator[tuple[ImageRecord, NDArray[np.float16]]]:
    for start in range(0, count, 4_096):
        rows = widener.draw(min(4_096, count - start)).astype(np.float16)
        for number, row in enumerate(rows, start):
            yield ImageRecord(f"{number:032x}", (f"{number}.jpg",), 640, 480, "image/jpeg", 100_000), row
