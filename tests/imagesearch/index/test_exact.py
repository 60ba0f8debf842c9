"""The exact index against a plain float64 computation."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.errors import InvalidOption
from imagesearch.index import exact as exact_module
from imagesearch.index import open_index
from imagesearch.index.base import Neighbours
from imagesearch.index.exact import MANY_QUERIES, ExactIndex
from imagesearch.index.matrix import DescriptorMatrix

DISTANCE_TOLERANCE = 2e-6  # float32 sums of D terms, then a square root


def normalised(rng: np.random.Generator, count: int, dim: int) -> NDArray[np.float32]:
    """Half of the values zero, as a ReLU leaves them."""
    vectors = np.maximum(rng.standard_normal((count, dim), dtype=np.float32), 0) + np.float32(1e-3)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def exact(rows: NDArray[np.float16], threads: int) -> ExactIndex:
    return ExactIndex(DescriptorMatrix([rows]), threads)


def reference_distances(
    descriptors: NDArray[np.float16], queries: NDArray[np.float32]
) -> NDArray[np.float64]:
    """All distances, shape=(Q, N), one pair at a time, in float64."""
    rows = descriptors.astype(np.float64)
    return np.array([[np.sqrt(((query - row) ** 2).sum()) for row in rows] for query in queries])


def assert_nearest(found: Neighbours, expected: NDArray[np.float64], k: int) -> None:
    """The right distances in the right order, at rows that truly have them; near-ties may swap."""
    count = min(k, expected.shape[1])
    np.testing.assert_allclose(
        found.distances[:, :count], np.sort(expected, axis=1)[:, :count], atol=DISTANCE_TOLERANCE
    )
    at_rows = np.take_along_axis(expected, found.rows[:, :count], axis=1)
    np.testing.assert_allclose(found.distances[:, :count], at_rows, atol=DISTANCE_TOLERANCE)
    for rows in found.rows[:, :count]:
        assert len(set(rows.tolist())) == count


@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_a_plain_computation_at_any_shape(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, dim, k = int(rng.integers(1, 400)), int(rng.integers(1, 90)), int(rng.integers(1, 60))
    descriptors = normalised(rng, count, dim).astype(np.float16)
    queries = normalised(rng, int(rng.integers(1, 4)), dim)
    found = exact(descriptors, threads=2).search(queries, k)
    assert found.rows.shape == found.distances.shape == (len(queries), k)
    assert found.rows.dtype == np.int64
    assert found.distances.dtype == np.float32
    assert_nearest(found, reference_distances(descriptors, queries), k)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_the_number_of_threads_changes_nothing(threads: int) -> None:
    rng = np.random.default_rng(20)
    descriptors = normalised(rng, 9001, 16).astype(np.float16)
    queries = normalised(rng, 3, 16)
    found = exact(descriptors, threads).search(queries, 50)
    alone = exact(descriptors, threads=1).search(queries, 50)
    np.testing.assert_array_equal(found.rows, alone.rows)
    np.testing.assert_array_equal(found.distances, alone.distances)
    distances = np.linalg.norm(queries[:, None].astype(np.float64) - descriptors, axis=2)
    assert_nearest(found, distances, 50)


@pytest.mark.parametrize("threads", [1, 3])
def test_ties_are_broken_by_row(threads: int) -> None:
    rng = np.random.default_rng(21)
    kinds = normalised(rng, 5, 24).astype(np.float16)
    descriptors = kinds[rng.integers(0, 5, 6000)]
    for k in (1, 10, 1500, 6000):
        found = exact(descriptors, threads).search(kinds[:2].astype(np.float32), k)
        for rows, distances in zip(found.rows, found.distances, strict=True):
            np.testing.assert_array_equal(np.lexsort((rows, distances)), np.arange(k))
    own = np.flatnonzero((descriptors == kinds[0]).all(axis=1))
    first = exact(descriptors, threads).search(kinds[:1].astype(np.float32), 20)
    np.testing.assert_array_equal(first.rows[0], own[:20])


def test_a_descriptor_finds_itself_at_no_distance() -> None:
    rng = np.random.default_rng(22)
    descriptors = normalised(rng, 300, 64).astype(np.float16)
    found = exact(descriptors, threads=2).search(descriptors.astype(np.float32), 1)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(300))
    assert found.distances.max() == 0


def test_a_query_before_rounding_finds_its_rounded_descriptor_within_a_hundredth() -> None:
    queries = normalised(np.random.default_rng(23), 100, 4096)
    found = exact(queries.astype(np.float16), threads=2).search(queries, 1)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(100))
    assert found.distances.max() < 0.001


def test_places_beyond_the_last_row_say_so() -> None:
    rng = np.random.default_rng(24)
    found = exact(normalised(rng, 3, 8).astype(np.float16), threads=4).search(normalised(rng, 2, 8), 5)
    assert np.sort(found.rows[:, :3]).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert (found.rows[:, 3:] == -1).all()
    assert np.isinf(found.distances[:, 3:]).all()


def test_an_empty_index_answers_that_there_is_nothing() -> None:
    index = exact(np.empty((0, 8), np.float16), threads=2)
    found = index.search(normalised(np.random.default_rng(25), 2, 8), 3)
    assert len(index) == 0
    assert (found.rows == -1).all()
    assert np.isinf(found.distances).all()


def test_no_query_has_no_neighbours() -> None:
    found = exact(np.ones((4, 8), np.float16), threads=1).search(np.empty((0, 8), np.float32), 3)
    assert found.rows.shape == found.distances.shape == (0, 3)


def test_a_descriptor_of_zeros_is_at_distance_one_from_everything() -> None:
    rng = np.random.default_rng(26)
    descriptors = np.vstack([normalised(rng, 5, 32), np.zeros((1, 32), np.float32)]).astype(np.float16)
    found = exact(descriptors, threads=1).search(normalised(rng, 1, 32), 6)
    zero_at = np.flatnonzero(found.rows[0] == 5)
    np.testing.assert_allclose(found.distances[0, zero_at], 1, atol=1e-6)


def test_a_read_only_memory_map_is_searched_as_it_lies(tmp_path: Path) -> None:
    rng = np.random.default_rng(27)
    descriptors = normalised(rng, 5000, 16).astype(np.float16)
    np.save(tmp_path / "descriptors.npy", descriptors)
    mapped = np.load(tmp_path / "descriptors.npy", mmap_mode="r")
    queries = normalised(rng, 2, 16)
    found = exact(mapped, threads=2).search(queries, 10)
    np.testing.assert_array_equal(found.rows, exact(descriptors, threads=1).search(queries, 10).rows)


def test_queries_of_another_layout_are_understood() -> None:
    rng = np.random.default_rng(28)
    index = exact(normalised(rng, 100, 16).astype(np.float16), threads=1)
    queries = normalised(rng, 4, 16)
    expected = index.search(queries, 5)
    for same in (np.asfortranarray(queries), np.repeat(queries, 2, axis=0)[::2]):
        np.testing.assert_array_equal(index.search(same, 5).rows, expected.rows)


@pytest.mark.parametrize(
    ("shape", "k"), [((1, 7), 1), ((1, 9), 1), ((8,), 1), ((1, 1, 8), 1), ((1, 8), 0), ((1, 8), -1)]
)
def test_what_would_read_past_the_matrix_is_refused(shape: tuple[int, ...], k: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        exact(np.ones((4, 8), np.float16), threads=1).search(np.ones(shape, np.float32), k)


@pytest.mark.parametrize(
    "matrix",
    [np.ones((4, 8), np.float32), np.ones((4, 16), np.float16)[:, ::2], np.ones(8, np.float16)],
    ids=["float32", "not contiguous", "a vector"],
)
def test_a_matrix_of_another_kind_is_refused(matrix: NDArray[np.float16]) -> None:
    with pytest.raises(ValueError, match="float16"):
        DescriptorMatrix([matrix])


def test_many_threads_may_search_at_once() -> None:
    rng = np.random.default_rng(29)
    index = exact(normalised(rng, 8000, 32).astype(np.float16), threads=2)
    queries = normalised(rng, 64, 32)
    expected = index.search(queries, 10).rows
    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(lambda query: index.search(query[None], 10).rows[0], queries))
    np.testing.assert_array_equal(found, expected)


def test_an_index_is_opened_by_its_kind(tmp_path: Path) -> None:
    index = open_index("exact", tmp_path, DescriptorMatrix([np.ones((3, 8), np.float16)]), threads=1)
    assert (index.kind, index.approximate, len(index)) == ("exact", False, 3)
    with pytest.raises(InvalidOption, match="tree"):
        open_index("tree", tmp_path, DescriptorMatrix([np.ones((3, 8), np.float16)]), threads=1)


@pytest.mark.parametrize("deleted", [False, True])
def test_many_queries_at_once_find_what_each_finds_alone(
    deleted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_module, "BLOCK_BYTES", 700 * 24 * 4)
    rng = np.random.default_rng(30)
    rows = normalised(rng, 5_000, 24).astype(np.float16)
    rows[[17, 2_600, 4_000]] = rows[3]
    order = np.array([row for row in range(5_000) if row % 7], np.uint32) if deleted else None
    index = ExactIndex(DescriptorMatrix([rows[:3_000], rows[3_000:]], order), threads=2)
    queries = np.concatenate([normalised(rng, MANY_QUERIES, 24), rows[[3, 17]].astype(np.float32)])
    together = index.search(queries, 30)
    for number, query in enumerate(queries):
        alone = index.search(query[None], 30)
        np.testing.assert_array_equal(together.rows[number], alone.rows[0])
        np.testing.assert_array_equal(together.distances[number], alone.distances[0])


def test_many_queries_over_few_rows_say_where_there_are_no_more() -> None:
    queries = normalised(np.random.default_rng(31), MANY_QUERIES, 8)
    found = exact(np.ones((3, 8), np.float16), threads=1).search(queries, 5)
    assert (np.sort(found.rows[:, :3]) == [0, 1, 2]).all()
    assert (found.rows[:, 3:] == -1).all() and np.isinf(found.distances[:, 3:]).all()


def test_closing_ends_the_threads_that_searched() -> None:
    before = threading.active_count()
    index = exact(normalised(np.random.default_rng(32), 3_000, 8).astype(np.float16), threads=2)
    index.search(np.ones((1, 8), np.float32), 1)
    assert threading.active_count() > before
    index.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_only_rows_that_may_be_found_are(threads: int, share: float) -> None:
    rng = np.random.default_rng(11)
    rows = normalised(rng, 4_000, 24).astype(np.float16)
    order = np.setdiff1d(np.arange(4_000), [5, 2_000]).astype(np.uint32)  # two are deleted
    among = (rng.random(4_000) < share) & np.isin(np.arange(4_000), order)
    queries = normalised(rng, MANY_QUERIES, 24)
    found = ExactIndex(DescriptorMatrix([rows[:1_500], rows[1_500:]], order), threads).search(
        queries, 9, among
    )
    allowed = np.flatnonzero(among)
    expected = ExactIndex(DescriptorMatrix([rows[allowed]]), 1).search(queries, 9)
    np.testing.assert_array_equal(found.distances, expected.distances)
    missing = expected.rows < 0
    np.testing.assert_array_equal(found.rows < 0, missing)
    np.testing.assert_array_equal(found.rows[~missing], allowed[expected.rows[~missing]])
