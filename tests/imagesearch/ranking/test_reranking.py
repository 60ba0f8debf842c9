from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from imagesearch.local_features import LocalFeatures, RootSift
from imagesearch.ranking.reranking import INLIERS_LIKE_A_COSINE, rank_scores, verify_candidates


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def features(seed: int) -> LocalFeatures:
    noise = np.random.default_rng(seed).random((40, 40, 3), np.float32)
    return RootSift().extract((cv2.resize(noise, (240, 240)) * 255).astype(np.uint8))


def literally(distances: list[float], inliers: list[int]) -> list[float]:
    """Each hit's cosine and conviction, written out."""
    return [
        (1 - distance**2 / 2) + math.log2(1 + count / INLIERS_LIKE_A_COSINE)
        for distance, count in zip(distances, inliers, strict=True)
    ]


def test_a_hit_is_worth_its_cosine_and_conviction() -> None:
    rng = np.random.default_rng(0)
    distances = np.sort(rng.uniform(0, 1.4, 50)).astype(np.float32)
    inliers = rng.integers(0, 60, 50)
    expected = literally(distances.tolist(), inliers.tolist())
    np.testing.assert_allclose(rank_scores(distances, inliers), expected)


def test_without_inliers_the_order_is_that_of_the_distances() -> None:
    scores = rank_scores(np.array([0.1, 0.5, 0.5, 0.9], np.float32), np.zeros(4, np.int64))
    assert scores[0] > scores[1] == scores[2] > scores[3]


def test_of_two_verified_hits_the_one_that_shares_more_overtakes_a_nearer_one() -> None:
    nearer, sharing_more = rank_scores(np.array([0.9, 1.26], np.float32), np.array([50, 150]))
    assert sharing_more > nearer


def test_a_well_verified_far_hit_overtakes_an_unverified_near_one() -> None:
    near, verified = rank_scores(np.array([0.8, 1.2], np.float32), np.array([0, 100]))
    assert verified > near


def test_the_candidate_that_shows_the_query_is_verified(pool: Executor) -> None:
    query = features(1)
    matches = verify_candidates([query], [lambda: features(2), lambda: query], 60.0, pool)
    assert matches[1] is not None and matches[1].inliers > 20
    assert matches[0] is None or matches[0].inliers < 10


def test_candidates_past_the_budget_are_left_unverified(pool: Executor) -> None:
    query, ticks, loaded = features(1), iter(range(100)), []

    def load() -> LocalFeatures:
        loaded.append(1)
        return query

    matches = verify_candidates([query], [load] * 10, 3.0, pool, clock=lambda: float(next(ticks)))
    assert [match is not None for match in matches] == [True] * 2 + [False] * 8
    assert len(loaded) == 2


def test_no_candidates_give_no_matches(pool: Executor) -> None:
    assert verify_candidates([features(1)], [], 1.0, pool) == []
