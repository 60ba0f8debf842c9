"""Searching 1,000 to 10,000,000 descriptors: the seed's scan, exact search, and every kind of index."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.collections import Widener, write_collection
from benchmarks.photos import real_descriptors
from benchmarks.report import RESULTS_DIR, Table, elapsed_ms, median_ms, percentile
from benchmarks.search_plot import draw
from benchmarks.seed_way import linear_scan
from imagesearch.index import DescriptorMatrix, IndexPlan, open_index
from imagesearch.index.building.builder import build_index
from imagesearch.index.building.tuning import measure
from imagesearch.index.files import open_codes
from imagesearch.index.kinds import KINDS

QUERIES = 200
THREADS = 2
SEED_LIMIT_BYTES = 2_000_000_000
COLUMNS = (
    "descriptors",
    "dimensions",
    "index",
    "effort",
    "build s",
    "median ms",
    "p95 ms",
    "codes alone ms",
    "recall@10",
    "times faster than the seed",
    "resident MB",
    "index files MB",
)
NOTHING = float("nan")


@dataclass(frozen=True)
class Size:
    """One collection, and what is compared over it."""

    count: int
    dim: int
    kinds: tuple[str, ...]
    target_recall: float = 0.99


QUICK = tuple(Size(count, 4096, tuple(KINDS)) for count in (1_000, 10_000, 100_000))
FULL = (
    *QUICK,
    Size(1_000_000, 4096, ("pq", "ivf")),
    Size(10_000, 512, ("pq", "ivf"), 0.95),
    Size(100_000, 512, ("pq", "ivf"), 0.95),
    Size(1_000_000, 512, ("pq", "ivf"), 0.95),
    Size(10_000_000, 512, ("pq", "ivf"), 0.95),
)


def run(full: bool) -> None:
    table = Table("search", COLUMNS).start()
    real = real_descriptors()
    for size in FULL if full else QUICK:
        with tempfile.TemporaryDirectory(dir="var") as directory:
            compare(table, Path(directory), Widener(real, size.dim), size)
        gc.collect()
    table.save()
    draw(table, RESULTS_DIR / "search.svg")


def compare(table: Table, directory: Path, widener: Widener, size: Size) -> None:
    queries = widener.draw(QUERIES)
    rows = write_collection(directory / "descriptors.npy", widener, size.count, size.dim)
    descriptors = DescriptorMatrix([rows])
    seed_ms = NOTHING
    if rows.size * 4 <= SEED_LIMIT_BYTES:
        seed_ms = time_seed(table, rows, queries[0])
    exact = open_index("exact", directory, descriptors, THREADS)
    truth = exact.search(queries, 10).distances
    exact_ms = median_ms(lambda: exact.search(queries[:1], 10), repeats=5, warm_up=1)
    shape = (size.count, size.dim)
    table.add(*shape, "exact", "", 0.0, exact_ms, NOTHING, NOTHING, 1.0, seed_ms / exact_ms, 0.0, 0.0)
    for kind in size.kinds:
        compare_kind(table, directory, descriptors, size, kind, queries, truth, seed_ms)


def compare_kind(
    table: Table,
    directory: Path,
    descriptors: DescriptorMatrix,
    size: Size,
    kind: str,
    queries: NDArray[np.float32],
    truth: NDArray[np.float32],
    seed_ms: float,
) -> None:
    folder = directory / kind
    folder.mkdir()
    start = time.perf_counter()
    report = build_index(IndexPlan(kind, size.target_recall, THREADS), descriptors, folder)
    build_s = time.perf_counter() - start
    if report.kind == "exact":
        table.add(size.count, size.dim, kind, report.note, build_s, *[NOTHING] * 7)
        return
    gc.collect()
    before_mb = anonymous_mb()
    index = open_index(report.kind, folder, descriptors, THREADS)
    recall, median = measure(index, queries, truth)
    resident_mb = anonymous_mb() - before_mb
    codes = open_codes(folder, report, descriptors, None)
    table.add(
        size.count,
        size.dim,
        f"{kind} ({report.method})" if report.method else kind,
        f"{report.candidates} candidates" + (f", {report.visits} visits" if report.visits else ""),
        build_s,
        median,
        percentile(each_ms(lambda query: index.search(query[None], 10), queries), 0.95),
        percentile(
            each_ms(lambda query: codes.candidates(query, report.candidates, report.visits), queries), 0.5
        ),
        recall,
        seed_ms / median,
        resident_mb,
        sum(path.stat().st_size for path in folder.iterdir()) / 1e6,
    )


def time_seed(table: Table, rows: NDArray[np.float16], query: NDArray[np.float32]) -> float:
    features = rows.astype(np.float32)
    seed_ms = median_ms(lambda: linear_scan(query, features), repeats=5, warm_up=1)
    product_ms = median_ms(lambda: features @ query, repeats=5, warm_up=1)
    for way, way_ms in (("the seed's scan", seed_ms), ("one matrix product", product_ms)):
        times = seed_ms / way_ms
        resident_mb = features.nbytes / 1e6
        table.add(*rows.shape, way, "", 0.0, way_ms, NOTHING, NOTHING, 1.0, times, resident_mb, 0.0)
    return seed_ms


def each_ms(search: Callable[[NDArray[np.float32]], object], queries: NDArray[np.float32]) -> list[float]:
    return [elapsed_ms(partial(search, query)) for query in queries]


def anonymous_mb() -> float:
    """Memory of this process that no file backs."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024
