"""Memory stays level over many searches, whatever the kind of the index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.index.approximate import ApproximateIndex, SearchEffort
from imagesearch.index.base import Index
from imagesearch.index.building.training import TRAININGS
from imagesearch.index.exact import MANY_QUERIES, ExactIndex
from imagesearch.index.kinds import KINDS, MIN_ROWS
from imagesearch.index.matrix import DescriptorMatrix
from tests.imagesearch.index.test_builder import photos_like
from tests.imagesearch.index.test_inverted import dense, index_of, random_bags
from tests.memory import own_bytes

DIM = 512
ALLOWED_BYTES = 512 * 1024
"""Of all searches together."""
ROUNDS = 3
"""At most: what else this process runs takes memory now and then, a leak takes it in each."""


def growth(index: Index, queries: NDArray[np.float32], searches: int) -> int:
    """In bytes, by so many searches, after some that take what is kept on purpose; of the first round without
    a leak, else of the last."""
    grown = _grown(index, queries, searches // 10)
    for _ in range(ROUNDS):
        grown = _grown(index, queries, searches)
        if grown < ALLOWED_BYTES:
            break
    return grown


def _grown(index: Index, queries: NDArray[np.float32], searches: int) -> int:
    before = own_bytes()
    for _ in range(searches):
        index.search(queries, 5)
    return own_bytes() - before


def matrix(rows: int) -> DescriptorMatrix:
    """One of the rows is deleted."""
    order = np.delete(np.arange(rows, dtype=np.uint32), 1)
    return DescriptorMatrix([photos_like(rows, DIM, seed=0)], order)


@pytest.mark.parametrize("threads", [1, 2])
def test_exact_searches_leave_nothing_in_memory(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesearch.index.exact.ROWS_WORTH_A_THREAD", 1)
    descriptors = matrix(8)
    index = ExactIndex(descriptors, threads)
    assert growth(index, descriptors[[0]].astype(np.float32), 2_000) < ALLOWED_BYTES
    index.close()


def test_searches_with_many_queries_leave_nothing_in_memory() -> None:
    descriptors = matrix(8)
    index = ExactIndex(descriptors, threads=1)
    queries = descriptors[[0] * MANY_QUERIES].astype(np.float32)
    assert growth(index, queries, 100) < ALLOWED_BYTES
    index.close()


@pytest.mark.parametrize("kind", KINDS)
def test_approximate_searches_leave_nothing_in_memory(kind: str, tmp_path: Path) -> None:
    descriptors = matrix(MIN_ROWS)
    query = descriptors[[0]].astype(np.float32)
    for _, codes in TRAININGS[kind].build(descriptors, tmp_path, np.random.default_rng(0)):
        index = ApproximateIndex(kind, codes, descriptors, SearchEffort(candidates=20, visits=8))
        assert growth(index, query, 2_000) < ALLOWED_BYTES


def test_searches_of_an_inverted_file_leave_nothing_in_memory() -> None:
    bags = random_bags(20)
    assert growth(index_of(bags), dense(bags[:1]), 2_000) < ALLOWED_BYTES
