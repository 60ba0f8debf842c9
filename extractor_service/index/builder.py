"""Builds an index beside a snapshot's descriptors and measures it against exact search before trusting it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from extractor_service.errors import InvalidOption
from extractor_service.index.approximate import ApproximateIndex, SearchEffort
from extractor_service.index.base import Index
from extractor_service.index.exact import ExactIndex
from extractor_service.index.files import IndexReport, write_index
from extractor_service.index.matrix import DescriptorMatrix
from extractor_service.index.rotation import rotation

logger = logging.getLogger(__name__)

APPROXIMATE_KINDS = ("pq", "ivf", "hnsw")
EXACT_SCAN_BYTES = 200_000_000
"""Up to here a whole float16 matrix is scanned in under 10 ms on 2 cores (100,000 x 4096: 32 ms)."""
FLAT_CODES_ROWS = 1_000_000
"""Up to here scanning every code takes under 3 ms; beyond, inverted lists pay for themselves."""
MIN_ROWS = 1_000
"""Fewer rows than this cannot train 16 centroids a part with the 39 points each that faiss asks for."""
ROTATED_DIM = 256
ROTATION_ROWS = 8_192
CODE_ROWS = 32_768
MAX_LISTS = 4_096
ROWS_A_LIST = 40
"""faiss asks for at least 39 training rows a centroid."""
SELF_TEST_QUERIES = 200
SELF_TEST_K = 10
CANDIDATES = (50, 100, 200, 500, 1_000, 2_000, 5_000)
VISITS = (8, 16, 32, 64, 128, 256)
BLOCK_ROWS = 16_384
SEED = 20170101
"""Any constant does: equal collections get equal indexes."""


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """What index to build beside the descriptors."""

    kind: str = "auto"
    """"auto", "exact" or one of APPROXIMATE_KINDS."""
    target_recall: float = 0.99
    """The recall@10 below which an approximate index is not trusted."""
    threads: int = 1


def choose_kind(requested: str, count: int, dim: int) -> tuple[str, str]:
    """The kind to build and, where it is not the requested one, why. Raises InvalidOption."""
    if requested != "auto" and requested not in ("exact", *APPROXIMATE_KINDS):
        raise InvalidOption(
            f"An index is one of auto, exact, {', '.join(APPROXIMATE_KINDS)}; {requested!r} is not."
        )
    if requested not in ("auto", "exact") and count < MIN_ROWS:
        return (
            "exact",
            f"{count} images are too few for {requested}: it needs {MIN_ROWS:,}; searched exactly.",
        )
    if requested != "auto":
        return requested, ""
    if count < MIN_ROWS or count * dim * 2 <= EXACT_SCAN_BYTES:
        return "exact", ""
    return ("pq" if count <= FLAT_CODES_ROWS else "ivf"), ""


def build_index(plan: IndexPlan, descriptors: DescriptorMatrix, directory: Path) -> IndexReport:
    """Builds, measures and writes an index into `directory`, unless exact search is enough or better.

    The descriptors are read in blocks.
    """
    kind, note = choose_kind(plan.kind, descriptors.count, descriptors.dim)
    if kind == "exact":
        return IndexReport("exact", plan.kind, note=note)
    rng = np.random.default_rng(SEED)
    codes = train_codes(kind, descriptors, rng)
    for _, block in descriptors.blocks(BLOCK_ROWS):
        codes.add(block.astype(np.float32))
    report = tune(plan, kind, codes, descriptors, rng)
    if report.kind == "exact":
        logger.warning("%s", report.note)
        return report
    write_index(directory, codes, report)
    return report


def train_codes(kind: str, descriptors: DescriptorMatrix, rng: np.random.Generator) -> faiss.Index:
    """An empty index of this kind with its rotation and centroids learnt on a sample of the collection."""
    count = descriptors.count
    rotated = min(descriptors.dim, ROTATED_DIM) // 4 * 4
    turn = rotation(sampled_descriptors(descriptors, ROTATION_ROWS, rng), rotated, rng)
    lists = list_count(count)
    codes = faiss.index_factory(rotated, recipe(kind, rotated, lists))
    rows = max(CODE_ROWS, ROWS_A_LIST * lists) if kind == "ivf" else CODE_ROWS
    sample = sampled_rows(descriptors, rows, rng)
    parts = (descriptors[sample[start : start + BLOCK_ROWS]] for start in range(0, len(sample), BLOCK_ROWS))
    codes.train(np.concatenate([turn.apply(np.asarray(part, dtype=np.float32)) for part in parts]))
    return faiss.IndexPreTransform(turn, codes)


def list_count(count: int) -> int:
    """Inverted lists for so many rows: about 4 √N, a power of two, and no more than train in a minute."""
    return int(min(MAX_LISTS, 2 ** round(np.log2(4 * np.sqrt(count)))))


def recipe(kind: str, dim: int, lists: int) -> str:
    """The codes in faiss' own notation: 4 bits for every two dimensions."""
    return {
        "pq": f"PQ{dim // 2}x4fs",
        "ivf": f"IVF{lists},PQ{dim // 2}x4fs",
        "hnsw": "HNSW32_SQ8",
    }[kind]


def sampled_rows(descriptors: DescriptorMatrix, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Of different images, ascending: memory-mapped pages are then read in order."""
    places = rng.choice(descriptors.count, size=min(descriptors.count, size), replace=False)
    return np.sort(descriptors.rows_at(places))


def sampled_descriptors(
    descriptors: DescriptorMatrix, size: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    return descriptors[sampled_rows(descriptors, size, rng)].astype(np.float32)


def tune(
    plan: IndexPlan, kind: str, codes: faiss.Index, descriptors: DescriptorMatrix, rng: np.random.Generator
) -> IndexReport:
    """Spends as little as reaches the target on sampled queries; gives up in favour of exact search.

    The queries are rows of the collection; each finds itself, which counts for nothing.
    """
    queries = sampled_descriptors(descriptors, SELF_TEST_QUERIES, rng)
    truth = ExactIndex(descriptors, plan.threads).search(queries, SELF_TEST_K + 1)
    best = 0.0
    for effort in efforts(kind):
        index = ApproximateIndex(kind, codes, descriptors, effort)
        recall, latency_ms = measure(index, queries, truth.distances, skip=1)
        best = max(best, recall)
        if recall >= plan.target_recall:
            return IndexReport(
                kind, plan.kind, effort.candidates, effort.visits, recall_at_10=recall, latency_ms=latency_ms
            )
    note = f"{kind} found {best:.3f} of the nearest, short of {plan.target_recall}; searched exactly instead."
    return IndexReport("exact", plan.kind, note=note)


def efforts(kind: str) -> Iterator[SearchEffort]:
    """From cheap to dear."""
    if kind == "pq":
        yield from (SearchEffort(candidates) for candidates in CANDIDATES)
        return
    for visits in VISITS:
        yield from (SearchEffort(candidates, visits) for candidates in CANDIDATES[1:5])


def measure(
    index: Index, queries: NDArray[np.float32], true_distances: NDArray[np.float32], skip: int = 0
) -> tuple[float, float]:
    """recall@(k - skip) and the median latency in milliseconds, one query at a time.

    true_distances: shape=(Q, k), ascending; the first `skip` of each are left out of the count.
    A found row counts when it lies no further than the true k-th: equal distances are as good as equal rows.
    """
    k = true_distances.shape[1]
    hits, latencies_ms = 0, []
    for query, true in zip(queries, true_distances, strict=True):
        start = time.perf_counter()
        found = index.search(query[None], k).distances[0]
        latencies_ms.append((time.perf_counter() - start) * 1e3)
        hits += int(np.count_nonzero(found[skip:] <= true[-1] + 1e-6))
    return hits / (len(queries) * (k - skip)), float(np.median(latencies_ms))
