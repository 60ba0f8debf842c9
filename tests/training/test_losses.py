from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

losses = pytest.importorskip("training.losses")


@pytest.fixture
def unit_vectors() -> NDArray[np.float32]:
    vectors = np.random.default_rng(3).normal(size=(7, 5)).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


GROUPS = np.array([0, 0, 1, 1, 1, 2, 0])


def test_contrastive_is_the_papers_double_sum(unit_vectors: NDArray[np.float32]) -> None:
    """Khosla et al. 2020, equation 2, term by term; row 5 is alone and has no term of its own."""
    temperature, terms = losses.TEMPERATURE, []
    for i, anchor in enumerate(unit_vectors):
        others = [a for a in range(7) if a != i]
        positives = [p for p in others if GROUPS[p] == GROUPS[i]]
        if not positives:
            terms.append(0.0)
            continue
        whole = sum(math.exp(anchor @ unit_vectors[a] / temperature) for a in others)
        shares = [math.log(math.exp(anchor @ unit_vectors[p] / temperature) / whole) for p in positives]
        terms.append(-sum(shares) / len(positives))
    rows = np.asarray(losses.contrastive(GROUPS, 3 * unit_vectors))
    np.testing.assert_allclose(rows, terms, rtol=1e-4)


def test_triplet_takes_the_hardest_of_the_batch(unit_vectors: NDArray[np.float32]) -> None:
    terms = []
    distance = np.linalg.norm(unit_vectors[:, None] - unit_vectors[None], axis=2)
    for i in range(7):
        positives = [distance[i, p] for p in range(7) if p != i and GROUPS[p] == GROUPS[i]]
        negatives = [distance[i, n] for n in range(7) if GROUPS[n] != GROUPS[i]]
        hardest = max(positives) - min(negatives) + losses.MARGIN if positives else 0.0
        terms.append(max(0.0, hardest))
    np.testing.assert_allclose(losses.triplet(GROUPS, 3 * unit_vectors), terms, atol=1e-4)


def test_smoothed_labels_share_a_part_among_all_classes() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1]], np.float32))
    expected = -(0.9 + 0.1 / 3) * math.log(0.7) - 0.1 / 3 * (math.log(0.2) + math.log(0.1))
    assert float(losses.classification(np.array([0]), logits)[0]) == pytest.approx(expected, rel=1e-5)


def test_a_batch_of_one_group_has_no_triplet(unit_vectors: NDArray[np.float32]) -> None:
    assert not np.asarray(losses.triplet(np.zeros(7, int), unit_vectors)).any()
