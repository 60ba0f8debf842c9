from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.bof import BagOfFeatures, learn_weights
from imagesearch.descriptors.vocabulary import Vocabulary

WORDS = np.random.default_rng(9).random((12, 4)).astype(np.float32)


def pictures(count: int, seed: int = 0) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return [rng.random((rng.integers(1, 15), 4)).astype(np.float32) for _ in range(count)]


def tf_idf_literally(seen: list[NDArray[np.float32]]) -> list[list[float]]:
    """Sivic & Zisserman 2003, section 4: (n_kd / n_d) log((N + 1) / N_k), then unit length."""
    nearest = [[min(range(12), key=lambda k: math.dist(x, WORDS[k])) for x in vectors] for vectors in seen]
    table = []
    for words in nearest:
        row = []
        for k in range(12):
            holders = sum(k in other for other in nearest)
            row.append(words.count(k) / len(words) * math.log((len(seen) + 1) / holders) if holders else 0.0)
        length = math.hypot(*row)
        table.append([value / length if length else 0.0 for value in row])
    return table


def test_bags_are_the_literal_tf_idf() -> None:
    seen = pictures(20)
    model = learn_weights(Vocabulary(WORDS), seen)
    for vectors, literal in zip(seen, tf_idf_literally(seen), strict=True):
        bag, dense = model.bag(vectors), np.zeros(12)
        dense[bag.words] = bag.weights
        np.testing.assert_allclose(dense, literal, atol=1e-6)


def test_the_most_widespread_words_are_stopped() -> None:
    seen = pictures(50)
    free, stopped = (learn_weights(Vocabulary(WORDS), seen, share) for share in (0.0, 0.25))
    changed = free.idf != stopped.idf
    assert changed.sum() == 3
    assert not stopped.idf[changed].any()
    assert free.idf[changed].max() <= free.idf[~changed].min()


def test_a_picture_without_a_word_holds_the_one_that_says_so() -> None:
    model = learn_weights(Vocabulary(WORDS), pictures(5))
    bag = model.bag(np.empty((0, 4), np.float32))
    assert (bag.words.tolist(), bag.weights.tolist()) == ([model.dim - 1], [1])
    assert model.dim == len(WORDS) + 1


def test_the_descriptor_is_the_bag_as_a_dense_vector() -> None:
    model, vectors = learn_weights(Vocabulary(WORDS), pictures(5)), pictures(1, seed=3)[0]
    bag, dense = model.bag(vectors), model.encode(vectors)
    assert dense.shape == (model.dim,)
    np.testing.assert_array_equal(dense[bag.words], bag.weights)
    assert np.count_nonzero(dense) == len(bag.words)


def test_a_model_survives_storage() -> None:
    model = learn_weights(Vocabulary(WORDS), pictures(5))
    again = BagOfFeatures.from_arrays(model.to_arrays())
    vectors = pictures(1, seed=3)[0]
    np.testing.assert_array_equal(again.bag(vectors).weights, model.bag(vectors).weights)
