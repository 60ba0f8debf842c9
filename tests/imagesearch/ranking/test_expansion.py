from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imagesearch.ranking.expansion import alpha_expansion, average_expansion


def unit_rows(count: int, dim: int = 6, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def expanded_literally(query: list[float], rows: list[list[float]], weights: list[float]) -> list[float]:
    total = list(query)
    for row, weight in zip(rows, weights, strict=True):
        total = [t + weight * value for t, value in zip(total, row, strict=True)]
    return [t / math.hypot(*total) for t in total]


def test_average_expansion_is_the_mean_with_the_query() -> None:
    query, rows = unit_rows(1)[0], unit_rows(5, seed=1)
    literal = expanded_literally(query.tolist(), rows.tolist(), [1.0] * 5)
    np.testing.assert_allclose(average_expansion(query, rows), literal, atol=1e-6)


def test_alpha_expansion_weighs_by_the_power_of_the_cosine() -> None:
    query, rows = unit_rows(1)[0], unit_rows(8, seed=2)
    cosines = [sum(a * b for a, b in zip(query.tolist(), row, strict=True)) for row in rows.tolist()]
    weights = [max(cosine, 0) ** 3 for cosine in cosines]
    literal = expanded_literally(query.tolist(), rows.tolist(), weights)
    np.testing.assert_allclose(alpha_expansion(query, rows), literal, atol=1e-6)


def test_alpha_zero_is_average_expansion_over_similar_neighbours() -> None:
    query = unit_rows(1)[0]
    rows = np.stack([average_expansion(query, row[None]) for row in unit_rows(4, seed=3)])
    np.testing.assert_allclose(
        alpha_expansion(query, rows, alpha=0), average_expansion(query, rows), atol=1e-6
    )


def test_without_neighbours_the_query_stays() -> None:
    query, none = unit_rows(1)[0], np.empty((0, 6), np.float32)
    np.testing.assert_allclose(average_expansion(query, none), query, atol=1e-6)
    np.testing.assert_allclose(alpha_expansion(query, none), query, atol=1e-6)
