from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.vlad import vlad
from imagesearch.descriptors.vocabulary import Vocabulary


def vlad_literally(vectors: NDArray[np.float32], words: NDArray[np.float32]) -> list[float]:
    """Sum of unit residuals a word, signed square roots, each block to unit length, then the whole."""
    blocks = [[0.0] * words.shape[1] for _ in words]
    for x in vectors:
        k = min(range(len(words)), key=lambda k: math.dist(x, words[k]))
        length = math.dist(x, words[k])
        for d in range(len(x)):
            blocks[k][d] += (float(x[d]) - float(words[k][d])) / length
    for block in blocks:
        block[:] = [math.copysign(math.sqrt(abs(value)), value) for value in block]
        length = math.hypot(*block)
        block[:] = [value / length if length else 0.0 for value in block]
    flat = [value for block in blocks for value in block]
    length = math.hypot(*flat)
    return [value / length for value in flat]


def test_vlad_is_the_literal_formula() -> None:
    rng = np.random.default_rng(0)
    words, vectors = rng.random((6, 8)).astype(np.float32), rng.random((40, 8)).astype(np.float32)
    np.testing.assert_allclose(vlad(vectors, Vocabulary(words)), vlad_literally(vectors, words), atol=1e-5)


def test_a_word_without_features_is_an_empty_block() -> None:
    words = np.array([[0, 0], [100, 100]], np.float32)
    described = vlad(np.array([[3, 4]], np.float32), Vocabulary(words))
    np.testing.assert_allclose(described[:2], np.sqrt([0.6, 0.8]) / math.sqrt(1.4), rtol=1e-6)
    assert not described[2:].any()


def test_no_features_give_the_zero_vector() -> None:
    words = np.eye(4, dtype=np.float32)
    assert not vlad(np.empty((0, 4), np.float32), Vocabulary(words)).any()


def test_a_feature_on_its_word_adds_nothing() -> None:
    words = np.eye(4, dtype=np.float32)
    assert not vlad(words[:1], Vocabulary(words)).any()
