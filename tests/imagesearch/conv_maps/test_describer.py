from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.conv_maps import MacDescriber, MapDescriber
from imagesearch.conv_maps.describer import INDEXED_LONG_SIDE_PX, PART_LONG_SIDE_PX
from imagesearch.conv_maps.storage import from_bytes, quantised
from imagesearch.pictures.plans import LongSideInput
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


def test_a_query_is_described_as_a_whole_picture_and_as_a_part_of_one() -> None:
    describer = MacDescriber(FakeBackbone())
    inputs = [describer.input_plan.prepare(picture) for picture in pictures()]
    for network_input, vectors in zip(inputs, describer.describe(inputs), strict=True):
        small = LongSideInput(PART_LONG_SIDE_PX).prepare(network_input)
        maps = [FakeBackbone().conv_map(picture[np.newaxis])[0] for picture in (network_input, small)]
        np.testing.assert_array_equal(vectors, [conv_map.max(axis=(0, 1)) for conv_map in maps])


class BorderedBackbone(FakeBackbone):
    """As convolutions that take what surrounds a picture for black: its outer cells are bright."""

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        maps = super().conv_map(images)
        for border in (maps[:, 0], maps[:, -1], maps[:, :, 0], maps[:, :, -1]):
            border += 1_000
        return maps


def test_the_borders_that_a_network_finds_are_nothing_of_a_part() -> None:
    bordered, plain = MacDescriber(BorderedBackbone()), MacDescriber(FakeBackbone())
    inputs = [plain.input_plan.prepare(picture) for picture in pictures()]
    for found, expected in zip(bordered.describe(inputs), plain.describe(inputs), strict=True):
        np.testing.assert_array_equal(found[1], expected[1])
        assert (found[0] >= expected[0] + 900).all()
