from __future__ import annotations

import numpy as np

from benchmarks.quality import nearest_others, reordered


def test_the_query_is_not_among_its_nearest() -> None:
    cosines = np.array([[1.0, 0.2, 0.9], [0.9, 0.3, 1.0]], np.float32)
    assert nearest_others(cosines, [0, 2]).tolist() == [[2, 1], [0, 1]]


def test_reordered_scores_put_verified_pictures_first() -> None:
    cosines = np.array([[0.9, 0.5, 0.4, 0.1]], np.float32)
    inliers = np.array([[0, 0, 60, 5]])
    scores = reordered(cosines, inliers)
    assert np.argsort(-scores[0]).tolist() == [2, 0, 1, 3]
