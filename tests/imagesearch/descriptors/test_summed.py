from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.summed import WHITENED_DIM, Summed, learn_summed


def unit_rows(count: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).random((count, dim)).astype(np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def pictures(count: int, dim: int) -> list[NDArray[np.float32]]:
    return [unit_rows(2, dim, seed) for seed in range(count)]


def test_without_whitening_a_single_vector_stays_as_it_is() -> None:
    vector = unit_rows(1, 9)
    np.testing.assert_array_equal(Summed(9).encode(vector), vector[0])


def test_several_vectors_are_summed_and_normalised() -> None:
    vectors = unit_rows(3, 9)
    literal = vectors.sum(axis=0) / np.linalg.norm(vectors.sum(axis=0))
    np.testing.assert_allclose(Summed(9).encode(vectors), literal, atol=1e-6)


def test_a_whitening_is_learnt_on_every_vector() -> None:
    encoding, note = learn_summed(pictures(400, 200), 200)
    assert (encoding.dim, note) == (WHITENED_DIM, "")
    assert encoding.whitening is not None
    mean = np.concatenate(pictures(400, 200)).mean(axis=0)
    np.testing.assert_allclose(encoding.whitening.mean, mean, atol=1e-6)


@pytest.mark.parametrize(("count", "dim", "whitened"), [(50, 200, 50), (16, 200, 16), (9, 9, 9)])
def test_few_pictures_are_whitened_to_fewer_dimensions(count: int, dim: int, whitened: int) -> None:
    encoding, note = learn_summed(pictures(count, dim), dim)
    assert encoding.dim == len(encoding.encode(unit_rows(2, dim))) == whitened
    assert (f"to {whitened} dimensions instead of {WHITENED_DIM}" in note) == (whitened < min(dim, 128))


@pytest.mark.parametrize("count", [0, 3, 15])
def test_too_few_pictures_are_not_whitened_and_it_is_said(count: int) -> None:
    encoding, note = learn_summed(pictures(count, 200), 200)
    assert (encoding.dim, encoding.whitening) == (200, None)
    assert "too few photos" in note


def test_a_black_picture_is_far_from_all_others_after_whitening() -> None:
    encoding, _ = learn_summed(pictures(400, 200), 200)
    black = encoding.encode(np.zeros((2, 200), np.float32))
    distances = [np.linalg.norm(black - encoding.encode(vectors)) for vectors in pictures(20, 200)]
    assert min(distances) > 1.1


@pytest.mark.parametrize("count", [3, 400])
def test_an_encoding_survives_storage(count: int) -> None:
    encoding, _ = learn_summed(pictures(count, 200), 200)
    again, vectors = Summed.from_arrays(encoding.to_arrays()), unit_rows(2, 200)
    assert again.dim == encoding.dim
    np.testing.assert_array_equal(again.encode(vectors), encoding.encode(vectors))
