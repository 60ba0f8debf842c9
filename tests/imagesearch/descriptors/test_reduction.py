from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.reduction import (
    MAX_DIM,
    MIN_DIM,
    PICTURES_PER_AXIS,
    Reduction,
    learn_affordable_reduction,
    learn_reduction,
)
from imagesearch.errors import InvalidOption

DIM = 5


def unit_rows(count: int, seed: int, dim: int = DIM) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).random((count, dim)).astype(np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def test_a_full_rotation_alone_keeps_dot_products() -> None:
    vectors = unit_rows(50, 7)
    rotation = learn_reduction(vectors, DIM, exponent=1)
    rotated = vectors @ rotation.axes
    np.testing.assert_allclose(rotated @ rotated.T, vectors @ vectors.T, atol=1e-3)
    energies = (rotated**2).sum(axis=0)
    assert (np.diff(energies) <= 1e-3).all()


def test_rotation_normalisation_is_rotate_power_unit_length() -> None:
    vectors = unit_rows(50, 8) - 0.3
    rotation = learn_reduction(vectors, 3, exponent=0.5)
    for row, vector in zip(rotation.apply(vectors), vectors, strict=True):
        rotated = [float(vector @ axis) for axis in rotation.axes.T]
        powered = [math.copysign(math.sqrt(abs(value)), value) for value in rotated]
        np.testing.assert_allclose(row, np.array(powered) / math.hypot(*powered), atol=1e-4)


def test_more_dimensions_than_descriptors_are_refused() -> None:
    with pytest.raises(InvalidOption, match="cannot be learnt from 3 descriptors"):
        learn_reduction(unit_rows(3, 0), 4, exponent=1)


def test_fewer_vectors_than_dimensions_give_the_same_axes() -> None:
    """By the smaller of the two products."""
    vectors = unit_rows(20, 1, dim=40)
    few = learn_reduction(vectors, 6, exponent=1)
    full = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))[1][:, ::-1][:, :6]
    np.testing.assert_allclose(np.abs(few.axes.T @ full), np.eye(6), atol=1e-3)
    np.testing.assert_allclose(few.axes.T @ few.axes, np.eye(6), atol=1e-3)


@pytest.mark.parametrize(
    ("number", "dim", "reduced"),
    [(PICTURES_PER_AXIS * MIN_DIM, 900, MIN_DIM), (PICTURES_PER_AXIS * MAX_DIM + 9, 600, MAX_DIM)],
)
def test_as_many_dimensions_are_learnt_as_there_are_pictures_for(number: int, dim: int, reduced: int) -> None:
    reduction, note = learn_affordable_reduction(unit_rows(number, 2, dim), exponent=1)
    assert reduction is not None
    assert (reduction.dim, note) == (reduced, "")


def test_too_few_pictures_keep_all_dimensions_and_say_so() -> None:
    reduction, note = learn_affordable_reduction(
        unit_rows(PICTURES_PER_AXIS * MIN_DIM - 1, 3, 900), exponent=1
    )
    assert reduction is None
    assert "All 900 dimensions are kept" in note


def test_a_reduction_survives_storage() -> None:
    reduction, vectors = learn_reduction(unit_rows(50, 4), 3, exponent=0.5), unit_rows(2, 5)
    again = Reduction.from_arrays(reduction.to_arrays())
    assert again is not None
    np.testing.assert_array_equal(again.apply(vectors), reduction.apply(vectors))
    assert Reduction.from_arrays({}) is None
