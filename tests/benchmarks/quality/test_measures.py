from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.measures import distance_to_uniform


def test_an_even_sample_is_near_uniform() -> None:
    assert distance_to_uniform((np.arange(1000) + 0.5) / 1000) == pytest.approx(0.0005)


@pytest.mark.parametrize(("value", "distance"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.5), (0.3, 0.7)])
def test_a_single_value_is_as_far_as_the_longer_side_of_it(value: float, distance: float) -> None:
    assert distance_to_uniform(np.full(10, value)) == pytest.approx(distance)


def test_it_is_the_largest_difference_of_the_distribution_functions() -> None:
    values = np.random.default_rng(0).beta(2, 3, 200)
    points = np.concatenate((values, np.nextafter(values, -1)))
    literal = max(abs(float(np.mean(values <= point)) - point) for point in points)
    assert distance_to_uniform(values) == pytest.approx(literal, abs=1e-9)
