from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.whitening import PcaWhitening, learn_whitening
from imagesearch.errors import InvalidOption


def correlated(count: int = 400, dim: int = 6, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, dim)) @ rng.normal(size=(dim, dim)) + 1).astype(np.float32)


def whitened_literally(x: NDArray[np.float32], sample: NDArray[np.float32], dim: int) -> list[float]:
    variances, axes = np.linalg.eigh(np.cov(sample.T, bias=True))
    values = []
    for place in sorted(range(len(x)), key=lambda i: -variances[i])[:dim]:
        values.append(float((x - sample.mean(axis=0)) @ axes[:, place]) / math.sqrt(variances[place]))
    return [value / math.hypot(*values) for value in values]


@pytest.mark.parametrize("dim", [1, 4, 6])
def test_whitening_is_the_literal_formula_up_to_the_sign_of_each_axis(dim: int) -> None:
    sample = correlated()
    whitened = learn_whitening(sample, dim).apply(sample[:5])
    literal = [whitened_literally(x, sample, dim) for x in sample[:5]]
    np.testing.assert_allclose(np.abs(whitened), np.abs(literal), atol=1e-4)
    np.testing.assert_allclose(whitened @ whitened.T, np.array(literal) @ np.array(literal).T, atol=1e-4)


def test_the_projected_sample_has_unit_covariance() -> None:
    sample = correlated()
    model = learn_whitening(sample, 6)
    projected = (sample - model.mean) @ model.projection
    np.testing.assert_allclose(np.cov(projected.T, bias=True), np.eye(6), atol=1e-3)


def test_a_dead_channel_does_no_harm() -> None:
    sample = np.concatenate((correlated(), np.zeros((400, 1), np.float32)), axis=1)
    whitened = learn_whitening(sample, 7).apply(sample)
    assert np.isfinite(whitened).all()
    np.testing.assert_allclose(np.linalg.norm(whitened, axis=1), 1, atol=1e-5)


def test_a_zero_vector_stays_zero() -> None:
    assert not learn_whitening(correlated(), 3).apply(np.zeros((1, 6), np.float32)).any()


@pytest.mark.parametrize(("count", "dim"), [(400, 0), (400, 7), (7, 4)])
def test_impossible_dimensions_are_refused(count: int, dim: int) -> None:
    with pytest.raises(InvalidOption, match="Whitening to"):
        learn_whitening(correlated(count), dim)


def test_a_whitening_survives_storage() -> None:
    model = learn_whitening(correlated(), 4)
    again = PcaWhitening.from_arrays(model.to_arrays())
    np.testing.assert_array_equal(again.apply(correlated(5)), model.apply(correlated(5)))
