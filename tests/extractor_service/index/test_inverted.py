from __future__ import annotations

import numpy as np

from extractor_service.descriptors.bof import Bag
from extractor_service.index.inverted import InvertedFile, build_inverted_file

WORD_COUNT = 30


def random_bags(count: int, seed: int = 0) -> list[Bag]:
    rng = np.random.default_rng(seed)
    bags = []
    for _ in range(count):
        words = np.sort(rng.choice(WORD_COUNT, rng.integers(1, 8), replace=False)).astype(np.int32)
        weights = rng.uniform(0.1, 1, len(words)).astype(np.float32)
        bags.append(Bag(words, weights / np.linalg.norm(weights)))
    return bags


def dense(bag: Bag) -> list[float]:
    values = [0.0] * WORD_COUNT
    for word, weight in zip(bag.words, bag.weights, strict=True):
        values[word] = float(weight)
    return values


def test_cosines_are_those_of_the_dense_vectors() -> None:
    bags, query = random_bags(40), random_bags(1, seed=1)[0]
    literal = [sum(a * b for a, b in zip(dense(query), dense(bag), strict=True)) for bag in bags]
    np.testing.assert_allclose(build_inverted_file(bags, WORD_COUNT).cosines(query), literal, atol=1e-3)


def test_search_finds_the_picture_itself_first_and_breaks_ties_by_row() -> None:
    bags = random_bags(10)
    index = build_inverted_file([*bags, bags[3]], WORD_COUNT)
    found = index.search(bags[3], 5)
    assert found.rows[0, :2].tolist() == [3, 10]
    np.testing.assert_allclose(found.distances[0, :2], 0, atol=0.05)
    assert (np.diff(found.distances[0]) >= 0).all()


def test_missing_neighbours_are_minus_one_and_infinite() -> None:
    bags = random_bags(2)
    found = build_inverted_file(bags, WORD_COUNT).search(bags[0], 4)
    assert found.rows[0, 2:].tolist() == [-1, -1]
    assert np.isinf(found.distances[0, 2:]).all()


def test_an_empty_query_is_equally_far_from_everything() -> None:
    empty = Bag(np.empty(0, np.int32), np.empty(0, np.float32))
    found = build_inverted_file(random_bags(3), WORD_COUNT).search(empty, 3)
    assert found.rows[0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.distances[0], np.sqrt(2))


def test_an_empty_collection_has_no_neighbours() -> None:
    index = build_inverted_file([], WORD_COUNT)
    assert len(index) == 0
    assert index.search(random_bags(1)[0], 1).rows.tolist() == [[-1]]


def test_an_inverted_file_survives_storage() -> None:
    bags = random_bags(8)
    index = build_inverted_file(bags, WORD_COUNT)
    again = InvertedFile.from_arrays(index.to_arrays())
    np.testing.assert_array_equal(again.cosines(bags[0]), index.cosines(bags[0]))
