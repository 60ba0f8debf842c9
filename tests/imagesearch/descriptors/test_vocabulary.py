from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.vocabulary import (
    APPROXIMATE_FROM_WORDS,
    Vocabulary,
    learn_affordable_vocabulary,
    learn_vocabulary,
)
from imagesearch.errors import InvalidOption


def vectors(count: int, dim: int = 8, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((count, dim)).astype(np.float32)


def test_each_vector_is_assigned_to_its_nearest_word() -> None:
    words, seen = vectors(20), vectors(100, seed=1)
    literal = [min(range(20), key=lambda k: float(((x - words[k]) ** 2).sum())) for x in seen]
    assert Vocabulary(words).assign(seen).tolist() == literal


def test_each_word_settles_at_the_mean_of_its_vectors() -> None:
    sample = vectors(200, dim=2, seed=2)
    vocabulary = learn_vocabulary(sample, 5, iterations=50)
    nearest = vocabulary.assign(sample)
    means = [sample[nearest == word].mean(axis=0) for word in range(5)]
    np.testing.assert_allclose(vocabulary.words, means, atol=1e-4)


def test_the_same_sample_gives_the_same_words() -> None:
    first, second = (learn_vocabulary(vectors(500), 10).words for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_large_vocabulary_assigns_nearly_exactly() -> None:
    words, seen = vectors(APPROXIMATE_FROM_WORDS, 16), vectors(300, 16, seed=1)
    exact = ((seen[:, None] - words[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (Vocabulary(words).assign(seen) == exact).mean() >= 0.95


def test_a_large_vocabulary_can_be_learnt() -> None:
    learnt = learn_vocabulary(vectors(2 * APPROXIMATE_FROM_WORDS, 4), APPROXIMATE_FROM_WORDS, iterations=1)
    assert learnt.words.shape == (APPROXIMATE_FROM_WORDS, 4)
    assert np.isfinite(learnt.words).all()


@pytest.mark.parametrize("word_count", [0, 11])
def test_more_words_than_features_are_refused(word_count: int) -> None:
    with pytest.raises(InvalidOption, match="cannot be learnt from 10 local features"):
        learn_vocabulary(vectors(10), word_count)


def test_no_features_are_assigned_to_no_words() -> None:
    assert Vocabulary(vectors(5)).assign(np.empty((0, 8), np.float32)).shape == (0,)


def test_a_vocabulary_survives_storage() -> None:
    vocabulary = Vocabulary(vectors(5))
    np.testing.assert_array_equal(Vocabulary.from_arrays(vocabulary.to_arrays()).words, vocabulary.words)


def test_a_large_vocabulary_assigns_alike_after_storage() -> None:
    vocabulary, seen = Vocabulary(vectors(APPROXIMATE_FROM_WORDS, 16)), vectors(2_000, 16, seed=1)
    again = Vocabulary.from_arrays(vocabulary.to_arrays())
    np.testing.assert_array_equal(again.assign(seen), vocabulary.assign(seen))


@pytest.mark.parametrize(("count", "affordable"), [(0, 1), (7, 1), (25, 3), (80, 10), (1_000, 10)])
def test_of_few_features_fewer_words_are_learnt_and_said(count: int, affordable: int) -> None:
    vocabulary, note = learn_affordable_vocabulary(vectors(count), 10, vectors_per_word=8)
    assert len(vocabulary) == affordable
    assert (f"Of {affordable} visual words instead of 10" in note) == (affordable < 10)
