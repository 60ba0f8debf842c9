"""The fc6 descriptor over a network whose features can be foretold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.embedding import Embedding
from tests.fakes import FakeBackbone


def noise(seed: int, height: int = 90, width: int = 120) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), np.uint8)


def test_rows_are_normalised_network_outputs_in_the_order_of_the_inputs() -> None:
    backbone = FakeBackbone()
    descriptor = Embedding(backbone)
    inputs = [descriptor.input_plan.prepare(noise(seed)) for seed in range(5)]
    described = np.concatenate(descriptor.describe(inputs))
    assert described.shape == (5, descriptor.dim)
    assert described.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(described, axis=1), 1, atol=1e-6)
    for row, one in zip(described, inputs, strict=True):
        raw = backbone.embed(one[None])[0].astype(np.float64)
        np.testing.assert_allclose(row, raw / np.sqrt((raw**2).sum()), atol=1e-6)


def test_a_picture_is_described_alike_alone_and_in_a_batch() -> None:
    descriptor = Embedding(FakeBackbone())
    inputs = [descriptor.input_plan.prepare(noise(seed)) for seed in range(3)]
    alone = [descriptor.describe([one])[0] for one in inputs]
    np.testing.assert_allclose(descriptor.describe(inputs), alone, atol=1e-6)


def test_the_plan_prepares_what_the_network_takes() -> None:
    descriptor = Embedding(FakeBackbone())
    for height, width in ((1, 1), (500, 3), (32, 32), (40, 900)):
        assert descriptor.input_plan.prepare(noise(0, height, width)).shape == (32, 32, 3)


def test_an_output_of_zeros_stays_zero() -> None:
    descriptor = Embedding(FakeBackbone())
    described = descriptor.describe([np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 9, np.uint8)])
    np.testing.assert_array_equal(described[0], 0)
    np.testing.assert_allclose(np.linalg.norm(described[1]), 1, atol=1e-6)


def test_no_input_gives_no_rows() -> None:
    assert Embedding(FakeBackbone()).describe([]) == []
