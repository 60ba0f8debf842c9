from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extractor_service.conv_maps import MacDescriber, MapDescriber
from extractor_service.conv_maps.describer import INDEXED_LONG_SIDE_PX
from extractor_service.conv_maps.storage import from_bytes, quantised
from tests.fakes import FakeBackbone


class CountingBackbone(FakeBackbone):
    def __init__(self) -> None:
        self.runs: list[tuple[int, ...]] = []

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.runs.append(images.shape)
        return super().conv_map(images)


def pictures() -> list[NDArray[np.uint8]]:
    """Twenty lying ones with a standing one among them, and a panorama."""
    rng = np.random.default_rng(0)
    sizes = [(48, 64)] * 12 + [(64, 48)] + [(48, 64)] * 8 + [(10, 300)]
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_maps_come_in_order_and_equal_shapes_go_together() -> None:
    backbone = CountingBackbone()
    describer = MapDescriber(backbone)
    inputs = [describer.input_plan.prepare(picture) for picture in pictures()]
    blobs = describer.describe(inputs)
    for network_input, blob in zip(inputs, blobs, strict=True):
        alone = FakeBackbone().conv_map(network_input[np.newaxis])[0]
        np.testing.assert_array_equal(from_bytes(blob), quantised(alone))
    assert [shape[0] for shape in backbone.runs] == [8, 8, 4, 1, 1]
    assert all(max(shape[1:3]) == INDEXED_LONG_SIDE_PX for shape in backbone.runs)


def test_without_pictures_there_is_nothing_to_do() -> None:
    assert MapDescriber(FakeBackbone()).describe([]) == []


def test_a_query_is_the_maximum_of_each_channel() -> None:
    describer = MacDescriber(FakeBackbone())
    inputs = [describer.input_plan.prepare(picture) for picture in pictures()]
    vectors = describer.describe(inputs)
    assert vectors.shape == (len(inputs), 3)
    for network_input, vector in zip(inputs, vectors, strict=True):
        expected = FakeBackbone().conv_map(network_input[np.newaxis])[0].max(axis=(0, 1))
        np.testing.assert_array_equal(vector, expected)
