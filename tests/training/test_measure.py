from __future__ import annotations

import numpy as np
import pytest

from training.measure import average_precisions, compare, mean_by_label


def test_average_precision_is_the_mean_of_the_precisions_at_right_answers() -> None:
    """The first picture finds, in this order: wrong, right, right; so (1/2 + 2/3) / 2."""
    angles = np.radians([0, 40, -20, 10])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = average_precisions(vectors, np.array([0, 0, 0, 1], np.int32))
    assert found[0] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert np.isnan(found[3])


def test_a_common_label_does_not_drown_a_rare_one() -> None:
    precisions = np.array([1.0] * 98 + [0.0, 0.2])
    labels = np.array([0] * 98 + [1] * 2, np.int32)
    assert mean_by_label(precisions, labels) == pytest.approx((1.0 + 0.1) / 2)


@pytest.mark.parametrize(("gain", "better"), [(0.1, True), (0.0, False), (-0.1, False)])
def test_only_a_difference_beyond_chance_counts(gain: float, better: bool) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4, dtype=np.int32), 50)
    before = rng.uniform(0.3, 0.6, 200)
    after = before + gain + rng.normal(0, 0.1, 200) - (0.0 if gain else rng.normal(0, 0.1, 200).mean())
    measured = compare((before, labels), (after, labels), seed=1)
    assert measured.is_better is better
    assert measured.low < measured.after - measured.before < measured.high
