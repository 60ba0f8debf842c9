from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extractor_service.conv_maps import MacDescriber, MapDescriber
from extractor_service.conv_maps.describer import INDEXED_LONG_SIDE_PX
from extractor_service.conv_maps.storage import from_bytes, quantised
from tests.fakes import FakeBackbone


def pictures() -> list[NDArray[np.uint8]]:
    """Lying, standing, and panoramas of both kinds."""
    rng = np.random.default_rng(0)
    sizes = [(48, 64), (640, 480), (48, 64), (10, 300), (2_000, 3)]
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_maps_come_in_order_each_of_its_own_shape() -> None:
    describer = MapDescriber(FakeBackbone())
    inputs = [describer.input_plan.prepare(picture) for picture in pictures()]
    blobs = describer.describe(inputs)
    for network_input, blob in zip(inputs, blobs, strict=True):
        alone = FakeBackbone().conv_map(network_input[np.newaxis])[0]
        np.testing.assert_array_equal(from_bytes(blob), quantised(alone))
        assert max(network_input.shape) == INDEXED_LONG_SIDE_PX


def test_without_pictures_there_is_nothing_to_do() -> None:
    assert MapDescriber(FakeBackbone()).describe([]) == []


def test_a_query_is_the_maximum_of_each_channel_its_mirrored_surroundings_left_out() -> None:
    describer = MacDescriber(FakeBackbone())
    inputs = [describer.input_plan.prepare(picture) for picture in pictures()]
    vectors = describer.describe(inputs)
    assert vectors.shape == (len(inputs), 3)
    for network_input, vector in zip(inputs, vectors, strict=True):
        expected = FakeBackbone().conv_map(network_input[np.newaxis])[0].max(axis=(0, 1))
        np.testing.assert_array_equal(vector, expected)


class BorderedBackbone(FakeBackbone):
    """As convolutions that take what surrounds a picture for black: its outer cells are bright."""

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        maps = super().conv_map(images)
        for border in (maps[:, 0], maps[:, -1], maps[:, :, 0], maps[:, :, -1]):
            border += 1_000
        return maps


def test_the_borders_that_a_network_finds_are_no_part_of_a_query() -> None:
    bordered, plain = MacDescriber(BorderedBackbone()), MacDescriber(FakeBackbone())
    inputs = [plain.input_plan.prepare(picture) for picture in pictures()]
    np.testing.assert_array_equal(bordered.describe(inputs), plain.describe(inputs))
