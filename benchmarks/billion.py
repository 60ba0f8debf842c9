"""What a billion photos would take of each part, extrapolated from a store that is small enough to be made.

Measured are bytes and seconds a photo of what grows with their number and has no vectors in it: the
catalogue, the order of ids, the indexer's sets of ids, a publication, the folders. Vectors are reckoned:
they are as many bytes as their values. All of it grows in proportion, but for sorting, which is left out.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.append import MODEL, images
from benchmarks.report import Table
from imagesearch.backbones.base import Precision
from imagesearch.index import IndexPlan
from imagesearch.store.catalogue import CATALOGUE_NAME
from imagesearch.store.content import Base, SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.recipe import Recipe
from imagesearch.store.snapshot import ORDER_NAME, Snapshot
from indexer.new_snapshot import publish

SMALL, LARGE = 100_000, 400_000
SIZES = (1_000_000, 50_000_000, 1_000_000_000)
DIM = 8
"""Of the vectors that are written, so that the rest is what is measured."""
REAL_DIM = 1_280
THUMBNAIL_BYTES, FEATURE_BYTES = 10_000, 15_600
"""Of a photo, as docs/deployment.md and docs/quality.md tell."""
GRAPH_BYTES = 2 * 16 * 4
"""Of a photo's links in Milvus' graph, whose M is 16."""


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one photo, in bytes and seconds."""

    catalogue_bytes: float
    order_bytes: float
    id_set_bytes: float
    addition_s: float
    """To publish one photo more, for each that is there already."""
    folders_s: float


def run(full: bool) -> None:
    with tempfile.TemporaryDirectory(dir="var") as directory:
        measured = measure(Path(directory), LARGE if full else SMALL)
    columns = ("what", "a photo", *(f"{size:,} photos" for size in SIZES))
    table = Table("billion", columns).start()
    for what, each in rows(measured).items():
        table.add(what, shown(what, each), *(shown(what, each * size) for size in SIZES))
    table.save()


def measure(directory: Path, count: int) -> Measured:
    layout = StoreLayout(directory / "store")
    vectors = np.tile(np.eye(1, DIM, dtype=np.float16), (count + 1, 1))
    recipe = Recipe("fc6", DIM, MODEL, Precision.F32)
    whole = SnapshotContent(recipe, "", count, images(vectors, 0, count), [], IndexPlan("exact"))
    base = publish(layout, whole)
    addition = replace(whole, count=1, images=images(vectors, count, count + 1), base=Base(base))
    addition_s, manifest = timed(lambda: publish(layout, addition))
    with Snapshot.open(layout) as snapshot:
        folders_s, _ = timed(snapshot.folders)
    ids = {f"{number:032x}" for number in range(count)}
    id_set_bytes = sys.getsizeof(ids) + count * sys.getsizeof(next(iter(ids)))
    return Measured(
        manifest.files[CATALOGUE_NAME].bytes / count,
        manifest.files[ORDER_NAME].bytes / count,
        id_set_bytes / count,
        addition_s / count,
        folders_s / count,
    )


def rows(measured: Measured) -> dict[str, float]:
    """By what it is, with its unit as the last word, that of one photo."""
    return {
        "thumbnails, on disk, B": THUMBNAIL_BYTES,
        "local features, on disk, B": FEATURE_BYTES,
        "descriptors, float16, on disk, B": 2 * REAL_DIM,
        "vectors and graph, in the memory of Milvus, B": 4 * REAL_DIM + GRAPH_BYTES,
        "catalogue, on disk, copied by each publication, B": measured.catalogue_bytes,
        "order of ids, on disk and in memory, B": 2 * measured.order_bytes,
        "ids of all, in the indexer's memory, B": measured.id_set_bytes,
        "mask of a filter, in the service's memory, B": 1.0,
        "publishing one photo more, s": measured.addition_s,
        "counting the folders, s": measured.folders_s,
    }


def shown(what: str, value: float) -> str:
    unit = what.rsplit(" ", 1)[-1]
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if unit == "B" and value >= size:
            return f"{value / size:.3g} {prefix}B"
    return f"{value * 1e6:.2g} µs" if unit == "s" and value < 1e-3 else f"{value:.3g} {unit}"


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result
