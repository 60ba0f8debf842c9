"""Builds an index beside a snapshot's descriptors and measures it against exact search before trusting it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from imagesearch.errors import NotEnoughMemory, VectorsGone
from imagesearch.index.approximate import SearchEffort
from imagesearch.index.building.collection import grow_collection, write_collection
from imagesearch.index.building.training import (
    BLOCK_ROWS,
    ROTATION_ROWS,
    TRAININGS,
    add_rows,
)
from imagesearch.index.building.truth import Truth, find_truth, grown_truth
from imagesearch.index.building.tuning import SelfTest, Trial
from imagesearch.index.codes import Codes, FaissCodes
from imagesearch.index.exact import BLOCK_BYTES
from imagesearch.index.files import IndexReport, open_codes, remove_index, write_index
from imagesearch.index.kinds import MILVUS, IndexPlan, choose_kind
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import MilvusCodes
from imagesearch.index.milvus.server import connected

logger = logging.getLogger(__name__)

SELF_TEST_SAMPLES = 200
LEAST_SAMPLES = 100
"""Fewer, after deletions, tell too little of a recall."""
MAX_DRIFT = 4
"""Where codes need so many times the candidates that they were built with, learning them again pays."""
SEED = 20170101
"""Any constant does: equal collections get equal indexes."""


def build_index(plan: IndexPlan, descriptors: DescriptorMatrix, directory: Path) -> IndexReport:
    """Builds, measures and writes an index into `directory`, unless exact search is enough or better.

    The descriptors are read in blocks.
    """
    kind, note = choose_kind(plan.kind, descriptors.count, descriptors.dim)
    if kind == "exact":
        return IndexReport("exact", plan.kind, note=note)
    rng = np.random.default_rng(SEED)
    truth = find_truth(descriptors, SELF_TEST_SAMPLES, rng)
    test = SelfTest(descriptors, truth)
    passed: list[tuple[str, Codes, Trial]] = []
    best_recall = 0.0
    for method, codes in _trained(plan, kind, descriptors, directory, rng):
        trial, recall = test.least_effort(kind, codes, plan.target_recall)
        best_recall = max(best_recall, recall)
        if trial is not None:
            passed.append((method, codes, trial))
    if not passed:
        remove_index(directory)
        note = (
            f"{kind} found {best_recall:.3f} of the nearest, short of {plan.target_recall}; searched exactly."
        )
        logger.warning("%s", note)
        return IndexReport("exact", plan.kind, note=note)
    method, codes, trial = min(passed, key=lambda each: each[2].latency_ms)
    report = _report(IndexReport(kind, plan.kind, method=method), codes, trial)
    write_index(directory, codes, report)
    truth.write(directory)
    return report


def extend_index(
    plan: IndexPlan,
    descriptors: DescriptorMatrix,
    base: IndexReport,
    base_rows: int,
    base_directory: Path,
    directory: Path,
) -> IndexReport | None:
    """Adds the rows from `base_rows` on to the codes in `base_directory` and measures again.

    Searches with more effort where that has become necessary. None where the kind cannot grow, is no longer
    the one to build, or has drifted far from what reaches the target: then build it from scratch.
    """
    kind, _ = choose_kind(plan.kind, descriptors.count, descriptors.dim)
    codes = _grown(plan, descriptors, base, base_rows, base_directory) if kind == base.kind else None
    if codes is None:
        return None
    truth = _extended(Truth.read(base_directory), plan, descriptors, base_rows)
    test = SelfTest(descriptors, truth)
    passed = test.try_effort(kind, codes, SearchEffort(base.candidates, base.visits))
    if passed.recall_at_10 < plan.target_recall:
        harder, _ = test.least_effort(kind, codes, plan.target_recall)
        if harder is None or harder.effort.candidates > MAX_DRIFT * base.candidates:
            return None
        passed = harder
    report = _report(base, codes, passed)
    write_index(directory, codes, report)
    truth.write(directory)
    return report


def _trained(
    plan: IndexPlan, kind: str, descriptors: DescriptorMatrix, directory: Path, rng: np.random.Generator
) -> Iterator[tuple[str, Codes]]:
    """Codes of every row, by each of the kind's methods in turn, with the method's name."""
    if kind == MILVUS:
        yield "", write_collection(connected(plan.milvus), plan.collection, descriptors, plan.facts)
    else:
        yield from TRAININGS[kind].build(descriptors, directory, rng)


def _grown(
    plan: IndexPlan, descriptors: DescriptorMatrix, base: IndexReport, base_rows: int, base_directory: Path
) -> Codes | None:
    """The base's codes with the rows from `base_rows` on; None where the kind cannot grow."""
    if base.kind == "exact":
        return None
    try:
        codes = open_codes(base_directory, base, descriptors, plan.milvus)
    except VectorsGone:
        return None
    if isinstance(codes, MilvusCodes):
        moved = np.array(plan.moved, np.int64)
        return grow_collection(codes, descriptors, base_rows, plan.facts, moved)
    if not isinstance(codes, FaissCodes) or codes.shape != (base_rows, descriptors.dim):
        return None
    add_rows(codes, descriptors, base_rows)
    return codes


def _extended(before: Truth | None, plan: IndexPlan, descriptors: DescriptorMatrix, base_rows: int) -> Truth:
    """Computed again where too few samples are left to measure by."""
    rng = np.random.default_rng((SEED, len(descriptors)))  # others at each growth
    if before is not None:
        grown = grown_truth(before, descriptors, base_rows, plan.threads, rng)
        if len(grown.own_rows) >= LEAST_SAMPLES:
            return grown
    return find_truth(descriptors, SELF_TEST_SAMPLES, rng)


def _report(of: IndexReport, codes: Codes, trial: Trial) -> IndexReport:
    if isinstance(codes, MilvusCodes):
        seen = codes.seen
        of = replace(of, collection=seen.name, growth=seen.growth, entities=seen.entities)
    return replace(
        of,
        candidates=trial.effort.candidates,
        visits=trial.effort.visits,
        recall_at_10=trial.recall_at_10,
        latency_ms=trial.latency_ms,
    )


WORKSPACE_BYTES = 64 * 1024 * 1024
"""Memory that the libraries take in addition, as measured with 100,000 and 400,000 descriptors."""


def require_memory(plan: IndexPlan, count: int, dim: int, available_bytes: int) -> None:
    """Raises NotEnoughMemory where building would take more than there is."""
    kind, _ = choose_kind(plan.kind, count, dim)
    needed = estimated_bytes(kind, count, dim)
    if needed > available_bytes:
        raise NotEnoughMemory(
            f"The index ({kind}) over {count:,} images takes about {_shown(needed)} of memory to build, and "
            f"{_shown(available_bytes)} are free. Nothing was published. Give it more memory, or ask for "
            "another kind: INDEXER_INDEX=exact needs the least."
        )


def estimated_bytes(kind: str, count: int, dim: int) -> int:
    """Of memory at the peak, beyond what the program takes anyway; what is memory-mapped makes way and is not
    counted."""
    order = 16 * count
    test = 3 * BLOCK_BYTES
    if kind == "exact":
        return order
    if kind == MILVUS:
        return order + test + WORKSPACE_BYTES
    training = TRAININGS[kind]
    rotated = min(dim, training.rotated_dim)
    rotating = 3 * 4 * min(count, ROTATION_ROWS) * dim
    block = (2 + 4) * min(count, BLOCK_ROWS) * dim  # as stored and widened
    sample = 4 * min(count, training.training_rows(count)) * rotated
    stage = max(test, rotating, 3 * sample, block + 2 * sample)
    return order + count * training.code_bytes(rotated) + stage + WORKSPACE_BYTES


def _shown(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
