from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.local import LocalDescriptor
from extractor_service.descriptors.vlad import vlad
from extractor_service.descriptors.vocabulary import Vocabulary
from extractor_service.local_features import RootSift


def picture(seed: int, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    cells = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3)).astype(np.uint8)
    return np.repeat(np.repeat(cells, 8, axis=0), 8, axis=1)


def vlad_descriptor() -> LocalDescriptor:
    words = np.random.default_rng(0).random((4, 128)).astype(np.float32) / 10
    return LocalDescriptor("vlad", 4 * 128, RootSift(), partial(vlad, vocabulary=Vocabulary(words)))


def test_each_picture_is_extracted_and_encoded() -> None:
    descriptor, seen = vlad_descriptor(), [picture(1), picture(2)]
    described = descriptor.describe([descriptor.input_plan.prepare(rgb) for rgb in seen])
    assert described.shape == (2, descriptor.dim)
    np.testing.assert_allclose(np.linalg.norm(described, axis=1), 1, atol=1e-5)
    features = [RootSift().extract(rgb) for rgb in seen]
    np.testing.assert_array_equal(described, descriptor.describe_features(features))


def test_pictures_without_texture_are_alike_and_far_from_all_others() -> None:
    black, white = np.zeros((20, 20, 3), np.uint8), np.full((50, 40, 3), 255, np.uint8)
    described = vlad_descriptor().describe([black, white, *(picture(seed) for seed in range(5))])
    np.testing.assert_array_equal(described[0], described[1])
    assert np.linalg.norm(described[0] - described[2:], axis=1).min() > 1.25


def test_no_pictures_give_no_rows() -> None:
    assert vlad_descriptor().describe([]).shape == (0, 512)
