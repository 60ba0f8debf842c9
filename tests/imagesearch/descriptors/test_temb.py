from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.temb import (
    SINKHORN_ITERATIONS,
    TriangulationEmbedding,
    democratic_weights,
    learn_triangulation,
)
from imagesearch.errors import InvalidOption

DIM, WORD_COUNT = 4, 5


def unit_rows(count: int, seed: int) -> NDArray[np.float32]:
    vectors = np.abs(np.random.default_rng(seed).normal(size=(count, DIM))).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def learnt() -> TriangulationEmbedding:
    return learn_triangulation(unit_rows(2000, 0), unit_rows(WORD_COUNT, 1))


def directions_literally(x: NDArray[np.float32], words: NDArray[np.float32]) -> list[float]:
    return [(float(x[d]) - float(c[d])) / math.dist(x, c) for c in words for d in range(DIM)]


def whitened_literally(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Section 3: mean and covariance of R over the sample; its eigenvectors from the (D + 1)-th on, each
    divided by the root of its eigenvalue."""
    words = unit_rows(WORD_COUNT, 1)
    seen = np.array([directions_literally(y, words) for y in unit_rows(2000, 0)])
    variances, axes = np.linalg.eigh(np.cov(seen.T, bias=True))
    values = []
    for place in np.argsort(-variances)[DIM:]:
        values.append(float(axes[:, place] @ (directions_literally(x, words) - seen.mean(axis=0))))
        values[-1] /= math.sqrt(variances[place])
    return np.array(values) / math.hypot(*values)


def test_embedding_is_the_literal_formula_up_to_the_sign_of_each_axis() -> None:
    x, y = unit_rows(2, 2)
    embedded = learnt().embed(np.stack((x, y)))
    first, second = whitened_literally(x), whitened_literally(y)
    np.testing.assert_allclose(np.abs(embedded[0]), np.abs(first), atol=2e-3)
    assert float(embedded[0] @ embedded[1]) == pytest.approx(float(first @ second), abs=2e-3)


def test_the_first_components_are_left_out() -> None:
    assert learnt().dim == (WORD_COUNT - 1) * DIM


def sinkhorn_literally(gram: NDArray[np.float32]) -> list[float]:
    size = len(gram)
    weights = [1.0] * size
    for _ in range(SINKHORN_ITERATIONS):
        old = list(weights)
        for i in range(size):
            total = sum(max(float(gram[i, j]), 0) * old[j] for j in range(size))
            weights[i] = old[i] / math.sqrt(old[i] * total)
    return weights


def test_democratic_weights_are_the_literal_iteration() -> None:
    vectors = unit_rows(20, 3) - 0.4
    gram = (vectors @ vectors.T).astype(np.float32)
    np.testing.assert_allclose(democratic_weights(gram), sinkhorn_literally(gram), rtol=1e-4)


def test_democratic_weights_make_every_feature_contribute_alike() -> None:
    vectors = np.concatenate((np.repeat(unit_rows(1, 4), 30, axis=0), unit_rows(10, 5)))
    kernel = np.maximum(vectors @ vectors.T, 0)
    weights = democratic_weights(kernel)
    contributions = weights * (kernel @ weights)
    summed = kernel.sum(axis=1)
    assert contributions.max() / contributions.min() < 1.01 < summed.max() / summed.min()


def test_description_is_the_weighted_sum_of_embedded_features() -> None:
    model, vectors = learnt(), unit_rows(30, 6)
    embedded = model.embed(vectors)
    weights = sinkhorn_literally(embedded @ embedded.T)
    literal = sum(weight * row for weight, row in zip(weights, embedded, strict=True))
    np.testing.assert_allclose(model.describe(vectors), literal / np.linalg.norm(literal), atol=1e-5)


def test_no_features_give_the_zero_vector() -> None:
    described = learnt().describe(np.empty((0, DIM), np.float32))
    assert described.shape == ((WORD_COUNT - 1) * DIM,)
    assert not described.any()


def test_too_few_features_or_words_are_refused() -> None:
    with pytest.raises(InvalidOption, match="more than 20 local features"):
        learn_triangulation(unit_rows(20, 0), unit_rows(WORD_COUNT, 1))
    with pytest.raises(InvalidOption, match="at least two words"):
        learn_triangulation(unit_rows(200, 0), unit_rows(1, 1))


def test_an_embedding_survives_storage() -> None:
    model, vectors = learnt(), unit_rows(5, 9)
    again = TriangulationEmbedding.from_arrays(model.to_arrays())
    np.testing.assert_array_equal(again.describe(vectors), model.describe(vectors))
