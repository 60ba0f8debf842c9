"""The word for how alike a result is."""

from __future__ import annotations

import pytest

from imagesearch.ranking.likeness import Likeness, likeness

MANY = 65_536


def test_what_is_identical_needs_neither_geometry_nor_score() -> None:
    assert likeness(True, 0, None, 0) is Likeness.IDENTICAL


def test_geometry_outweighs_the_distance() -> None:
    assert likeness(False, 8, 0.2, MANY) is Likeness.SAME
    assert likeness(False, 7, 0.2, MANY) is Likeness.WEAK


@pytest.mark.parametrize(
    ("score", "word"),
    [
        (1.0, Likeness.ALIKE),
        (0.9995, Likeness.ALIKE),
        (0.998, Likeness.RELATED),
        (0.9905, Likeness.RELATED),
        (0.98, Likeness.WEAK),
    ],
)
def test_a_word_says_how_many_random_pairs_lie_further_apart(score: float, word: Likeness) -> None:
    assert likeness(False, 0, score, MANY) is word


@pytest.mark.parametrize(
    ("pairs", "word"),
    [(999, Likeness.ALIKE), (998, Likeness.RELATED), (99, Likeness.RELATED), (98, Likeness.WEAK)],
)
def test_few_pairs_say_little_even_of_the_nearest(pairs: int, word: Likeness) -> None:
    assert likeness(False, 0, 1.0, pairs) is word


def test_a_collection_too_small_for_scores_calls_nothing_alike() -> None:
    assert likeness(False, 0, None, 0) is Likeness.WEAK
