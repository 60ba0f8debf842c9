"""Searching 1,000 to 10,000,000 descriptors: the seed's scan, exact search, the index that `auto` builds."""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.collections import Widener, write_collection
from benchmarks.photos import real_descriptors
from benchmarks.report import Table, median_ms, percentile
from benchmarks.seed_way import linear_scan
from extractor_service.index import DescriptorMatrix, IndexPlan, IndexReport, build_index, open_index
from extractor_service.index.base import Index
from extractor_service.index.builder import measure
from extractor_service.index.exact import ExactIndex

QUICK = ((1_000, 4096), (10_000, 4096), (100_000, 4096))
FULL = (*QUICK, (1_000_000, 4096), (100_000, 512), (1_000_000, 512), (10_000_000, 512))
SEED_LIMIT_BYTES = 2_000_000_000
QUERIES = 200
THREADS = 2


def run(full: bool) -> None:
    table = Table(
        "search",
        (
            "descriptors",
            "dimensions",
            "index",
            "build s",
            "median ms",
            "p95 ms",
            "recall@10",
            "times faster than the seed",
            "resident MB",
            "index file MB",
        ),
    ).start()
    real = real_descriptors()
    for count, dim in FULL if full else QUICK:
        with tempfile.TemporaryDirectory(dir="var") as directory:
            compare(table, Path(directory), Widener(real, dim), count, dim)
        gc.collect()
    table.save()


def compare(table: Table, directory: Path, widener: Widener, count: int, dim: int) -> None:
    queries = widener.draw(QUERIES)
    matrix = write_collection(directory / "descriptors.npy", widener, count, dim)
    descriptors = DescriptorMatrix([matrix])
    seed_ms = float("nan")
    if count * dim * 4 <= SEED_LIMIT_BYTES:
        seed_ms = time_seed(table, matrix, queries[0])
    exact = ExactIndex(descriptors, THREADS)
    truth = exact.search(queries, 10).distances
    exact_ms = median_ms(lambda: exact.search(queries[:1], 10), repeats=5, warm_up=1)
    table.add(count, dim, "exact", 0.0, exact_ms, exact_ms, 1.0, seed_ms / exact_ms, 0.0, 0.0)
    for kind in ("pq", "ivf"):
        start = time.perf_counter()
        report = build_index(IndexPlan(kind, 0.99, THREADS), descriptors, directory)
        build_s = time.perf_counter() - start
        if report.kind == "exact":
            table.add(count, dim, f"{kind}: {report.note}", build_s, *[float("nan")] * 6)
            continue
        add_approximate(table, directory, descriptors, queries, truth, report, build_s, seed_ms)


def add_approximate(
    table: Table,
    directory: Path,
    descriptors: DescriptorMatrix,
    queries: NDArray[np.float32],
    truth: NDArray[np.float32],
    report: IndexReport,
    build_s: float,
    seed_ms: float,
) -> None:
    before_mb = anonymous_mb()
    index = open_index(report.kind, directory, descriptors, THREADS)
    recall, median = measure(index, queries, truth)
    p95 = percentile([one_ms(index, query) for query in queries], 0.95)
    table.add(
        len(descriptors),
        descriptors.dim,
        f"{report.kind} ({report.candidates} candidates, {report.visits} visits)",
        build_s,
        median,
        p95,
        recall,
        seed_ms / median,
        anonymous_mb() - before_mb,
        (directory / "index.faiss").stat().st_size / 1e6,
    )


def time_seed(table: Table, descriptors: NDArray[np.float16], query: NDArray[np.float32]) -> float:
    features = descriptors.astype(np.float32)
    seed_ms = median_ms(lambda: linear_scan(query, features), repeats=5, warm_up=1)
    product_ms = median_ms(lambda: features @ query, repeats=5, warm_up=1)
    table.add(
        *descriptors.shape, "the seed's scan", 0.0, seed_ms, seed_ms, 1.0, 1.0, features.nbytes / 1e6, 0.0
    )
    table.add(
        *descriptors.shape,
        "one matrix product",
        0.0,
        product_ms,
        product_ms,
        1.0,
        seed_ms / product_ms,
        features.nbytes / 1e6,
        0.0,
    )
    return seed_ms


def one_ms(index: Index, query: NDArray[np.float32]) -> float:
    start = time.perf_counter()
    index.search(query[None], 10)
    return (time.perf_counter() - start) * 1e3


def anonymous_mb() -> float:
    """Memory of this process that no file backs."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024
