from __future__ import annotations

import numpy as np
import pytest

from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.ranking.expansion import rocchio


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return l2_normalised(np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32))


def rocchio_literally(positives: np.ndarray, negatives: np.ndarray, weight: float) -> np.ndarray:
    """The formula, one addition after the other."""
    query = np.zeros(16)
    for vector in positives:
        query += vector / len(positives)
    for vector in negatives:
        query -= weight * vector / len(negatives)
    return np.asarray(query / np.sqrt(sum(value**2 for value in query)))


@pytest.mark.parametrize(("positives", "negatives"), [(1, 0), (3, 0), (1, 1), (3, 5)])
def test_the_query_is_the_mean_less_a_share_of_the_other_mean(positives: int, negatives: int) -> None:
    like, unlike = vectors(positives), vectors(negatives, seed=1)
    combined = rocchio(like, unlike, negative_weight=0.25)
    np.testing.assert_allclose(combined, rocchio_literally(like, unlike, 0.25), atol=1e-6)


def test_a_single_photo_stays_itself() -> None:
    one = vectors(1)
    np.testing.assert_allclose(rocchio(one, one[:0]), one[0], atol=1e-6)


def test_where_nothing_is_left_the_query_is_zero() -> None:
    one = vectors(1)
    assert rocchio(np.concatenate([one, -one]), one[:0]).tolist() == [0] * 16
