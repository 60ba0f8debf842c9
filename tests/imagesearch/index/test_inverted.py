from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.bof import Bag
from imagesearch.index.exact import ExactIndex
from imagesearch.index.inverted import InvertedFile, InvertedIndex, build_inverted_file
from imagesearch.index.matrix import DescriptorMatrix

WORD_COUNT = 30


def random_bags(count: int, seed: int = 0) -> list[Bag]:
    rng = np.random.default_rng(seed)
    bags = []
    for _ in range(count):
        words = np.sort(rng.choice(WORD_COUNT, rng.integers(1, 8), replace=False)).astype(np.int32)
        weights = rng.uniform(0.1, 1, len(words)).astype(np.float32)
        bags.append(Bag(words, weights / np.linalg.norm(weights)))
    return bags


def dense(bags: list[Bag]) -> NDArray[np.float32]:
    rows = np.zeros((len(bags), WORD_COUNT), np.float32)
    for row, bag in zip(rows, bags, strict=True):
        row[bag.words] = bag.weights
    return rows


def index_of(*segments: list[Bag], order: NDArray[np.uint32] | None = None) -> InvertedIndex:
    matrix = DescriptorMatrix([dense(bags).astype(np.float16) for bags in segments], order)
    return InvertedIndex([build_inverted_file(bags, WORD_COUNT) for bags in segments], matrix)


def test_products_are_those_of_the_dense_vectors() -> None:
    bags, query = random_bags(40), random_bags(1, seed=1)[0]
    literal = dense(bags) @ dense([query])[0]
    np.testing.assert_allclose(build_inverted_file(bags, WORD_COUNT).products(query), literal, atol=1e-3)


@pytest.mark.parametrize("order", [None, np.array([7, 3, 30, 12, 55, 59, 1, 40], np.uint32)])
def test_it_finds_what_the_exact_index_finds_also_in_segments_with_deleted_rows(
    order: NDArray[np.uint32] | None,
) -> None:
    segments = random_bags(40), random_bags(20, seed=1)
    matrix = DescriptorMatrix([dense(bags).astype(np.float16) for bags in segments], order)
    queries = dense(random_bags(10, seed=2))
    exact, inverted = ExactIndex(matrix, threads=1).search(queries, 7), index_of(*segments, order=order)
    found = inverted.search(queries, 7)
    np.testing.assert_allclose(found.distances, exact.distances, atol=1e-3)
    # Rows as far as each other may change places by the last digit.
    assert (found.rows == exact.rows).mean() > 0.9
    assert len(inverted) == (60 if order is None else 8)


def test_a_row_is_at_no_distance_from_itself_and_ties_go_by_row() -> None:
    bags = random_bags(10)
    index = index_of([*bags, bags[3]])
    stored = dense([bags[3]]).astype(np.float16).astype(np.float32)
    found = index.search(stored, 5)
    assert found.rows[0, :2].tolist() == [3, 10]
    np.testing.assert_allclose(found.distances[0, :2], 0, atol=1e-3)
    assert (np.diff(found.distances[0]) >= 0).all()


def test_missing_neighbours_are_minus_one_and_infinite() -> None:
    bags = random_bags(2)
    found = index_of(bags).search(dense(bags[:1]), 4)
    assert found.rows[0, 2:].tolist() == [-1, -1]
    assert np.isinf(found.distances[0, 2:]).all()


def test_pictures_that_share_no_word_are_equally_far() -> None:
    bags = [Bag(np.array([word], np.int32), np.ones(1, np.float32)) for word in range(4)]
    found = index_of(bags[:3]).search(dense([bags[3]]), 3)
    assert found.rows[0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.distances[0], np.sqrt(2))


def test_an_empty_collection_has_no_neighbours() -> None:
    index = index_of([])
    assert len(index) == 0
    assert index.search(dense(random_bags(1)), 1).rows.tolist() == [[-1]]


def test_an_inverted_file_survives_storage() -> None:
    bags = random_bags(8)
    file = build_inverted_file(bags, WORD_COUNT)
    again = InvertedFile.from_arrays(file.to_arrays())
    np.testing.assert_array_equal(again.products(bags[0]), file.products(bags[0]))


def test_only_rows_that_may_be_found_are() -> None:
    segments = random_bags(40), random_bags(20, seed=1)
    queries = dense(random_bags(10, seed=2))
    matrix = DescriptorMatrix([dense(bags).astype(np.float16) for bags in segments])
    among = np.random.default_rng(3).random(60) < 0.15
    found = index_of(*segments).search(queries, 20, among)
    expected = ExactIndex(matrix, threads=1).search(queries, 20, among)
    np.testing.assert_allclose(found.distances, expected.distances, atol=1e-3)
    assert set(found.rows.ravel().tolist()) == {-1, *np.flatnonzero(among).tolist()}
