"""Adding 1% of images to a collection, beside publishing all: descriptors at hand, the network aside."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.collections import Widener, write_collection
from benchmarks.photos import real_descriptors
from benchmarks.report import Table
from imagesearch.backbones.base import ModelIdentity, Precision
from imagesearch.index import IndexPlan
from imagesearch.store.content import Base, SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord
from indexer.new_snapshot import publish

QUICK = ((100_000, 512), (100_000, 4096))
FULL = (*QUICK, (1_000_000, 512), (1_000_000, 4096))
MODEL = ModelIdentity("benchmark", "0" * 64, "none")


def run(full: bool) -> None:
    columns = ("images", "added", "dimensions", "index", "all s", "added s", "share", "recall@10 after")
    table = Table("append", columns).start()
    for count, dim in FULL if full else QUICK:
        with tempfile.TemporaryDirectory(dir="var") as directory:
            compare(table, Path(directory), count, dim)
    table.save()


def compare(table: Table, directory: Path, count: int, dim: int) -> None:
    added = count // 100
    rows = write_collection(directory / "all.npy", Widener(real_descriptors(), dim), count + added, dim)
    layout = StoreLayout(directory / "store")
    recipe = Recipe("fc6", dim, MODEL, Precision.F32)
    plan = IndexPlan("ivf" if count >= 1_000_000 else "pq", 0.99, threads=2)
    whole = SnapshotContent(recipe, "", count, images(rows, 0, count), [], plan)
    started = time.perf_counter()
    base = publish(layout, whole)
    whole_s = time.perf_counter() - started
    addition = replace(whole, count=added, images=images(rows, count, count + added), base=Base(base))
    started = time.perf_counter()
    grown = publish(layout, addition)
    added_s = time.perf_counter() - started
    kind, recall = grown.index.kind, grown.index.recall_at_10 or 1.0
    table.add(count, added, dim, kind, whole_s, added_s, added_s / whole_s, recall)


def images(
    rows: NDArray[np.float16], start: int, end: int
) -> Iterator[tuple[ImageRecord, NDArray[np.float16]]]:
    for number in range(start, end):
        yield ImageRecord(f"{number:032x}", (f"{number}.jpg",), 640, 480, "image/jpeg", 100_000), rows[number]
