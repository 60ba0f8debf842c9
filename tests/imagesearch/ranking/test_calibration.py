"""How a distance becomes a score."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.ranking.calibration import background_distances, largest_distance, score


def background_of(
    rows: NDArray[np.float16], rng: np.random.Generator, max_pairs: int = 65_536
) -> NDArray[np.float32]:
    return background_distances(DescriptorMatrix([rows]), rng, max_pairs)


def random_descriptors(rng: np.random.Generator, count: int, dim: int = 16) -> NDArray[np.float16]:
    vectors = np.abs(rng.standard_normal((count, dim)))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16)


@pytest.mark.parametrize("count", [2, 3, 10, 45])
def test_every_pair_counts_once_in_a_small_collection(count: int) -> None:
    rng = np.random.default_rng(count)
    descriptors = random_descriptors(rng, count)
    expected = sorted(
        float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))
        for one, other in itertools.combinations(descriptors, 2)
    )
    found = background_of(descriptors, rng, max_pairs=1000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_large_collection_is_sampled_without_bias() -> None:
    rng = np.random.default_rng(1)
    descriptors = random_descriptors(rng, 300)
    every = background_of(descriptors, rng, max_pairs=100_000)
    some = background_of(descriptors, rng, max_pairs=40_000)
    assert len(every) == 300 * 299 // 2
    assert 39_000 < len(some) <= 40_000
    assert (np.diff(some) >= 0).all()
    shares = np.linspace(0.05, 0.95, 19)
    np.testing.assert_allclose(
        np.searchsorted(every, np.quantile(some, shares)) / len(every), shares, atol=0.02
    )


def test_no_image_is_paired_with_itself() -> None:
    rng = np.random.default_rng(2)
    descriptors = np.eye(40, dtype=np.float16)
    assert background_of(descriptors, rng, max_pairs=500).min() > 1.4


def test_the_same_seed_gives_the_same_background() -> None:
    descriptors = random_descriptors(np.random.default_rng(3), 200)
    first, second = (background_of(descriptors, np.random.default_rng(4), 2000) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("count", [3, 4, 7, 40])
@pytest.mark.parametrize("max_pairs", [1, 2, 5])
def test_few_pairs_may_be_asked_for(count: int, max_pairs: int) -> None:
    rng = np.random.default_rng(9)
    found = background_of(random_descriptors(rng, count), rng, max_pairs)
    assert 1 <= len(found) <= max_pairs


@pytest.mark.parametrize("count", [0, 1])
def test_one_image_alone_has_no_background_and_no_score(count: int) -> None:
    background = background_of(np.ones((count, 8), np.float16), np.random.default_rng(5))
    assert len(background) == 0
    assert score(np.array([0.0, 0.5], np.float32), background) is None


def test_the_score_is_the_share_of_pairs_strictly_further_apart() -> None:
    background = np.array([0.5, 0.75, 0.75, 1.0], np.float32)
    distances = np.array([0, 0.5, 0.6, 0.75, 0.9, 1.0, 2.0], np.float32)
    scores = score(distances, background)
    assert scores is not None
    np.testing.assert_array_equal(scores, [1, 0.75, 0.75, 0.25, 0.25, 0, 0])
    for distance, found in zip(distances, scores, strict=True):
        assert found == np.mean([other > distance for other in background])


def test_scores_fall_as_distances_grow_and_stay_between_0_and_1() -> None:
    rng = np.random.default_rng(6)
    background = background_of(random_descriptors(rng, 100), rng)
    scores = score(np.sort(rng.uniform(0, 2, 500)).astype(np.float32), background)
    assert scores is not None
    assert (np.diff(scores) <= 0).all()
    assert 0 <= scores.min() <= scores.max() <= 1


def test_nothing_found_has_no_scores() -> None:
    scores = score(np.empty(0, np.float32), np.array([1.0], np.float32))
    assert scores is not None
    assert scores.shape == (0,)


def test_a_collection_of_copies_scores_everything_zero() -> None:
    descriptors = np.repeat(random_descriptors(np.random.default_rng(7), 1), 50, axis=0)
    background = background_of(descriptors, np.random.default_rng(8))
    np.testing.assert_array_equal(score(np.zeros(3, np.float32), background), [0, 0, 0])


@pytest.mark.parametrize("min_score", [0, 1e-9, 0.25, 1 / 3, 0.5, 0.9, 0.99, 1])
def test_the_largest_distance_of_a_score_parts_those_that_have_it_from_those_that_have_not(
    min_score: float,
) -> None:
    rng = np.random.default_rng(5)
    background = np.sort(rng.choice(np.linspace(0, 2, 40, dtype=np.float32), 300))  # with many ties
    distances = np.concatenate((background, rng.uniform(0, 2, 300).astype(np.float32)))
    scores = score(distances, background)
    assert scores is not None
    bound = largest_distance(min_score, background)
    np.testing.assert_array_equal(distances <= bound, scores >= min_score)


def test_where_there_are_no_scores_nothing_has_one() -> None:
    assert largest_distance(0, np.empty(0, np.float32)) < 0
