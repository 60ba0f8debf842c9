from __future__ import annotations

import math

import pytest

from imagesearch.backbones.description import COMPACT, VGG16, NetworkDescription


def test_vgg16_has_thirteen_convolutions_and_a_head_of_7_by_7_by_512() -> None:
    assert len(VGG16.conv_layers()) == 13
    assert VGG16.head_dim == 7 * 7 * 512
    assert VGG16.weight_shapes()["fc1/kernel"] == (25088, 4096)


def test_vgg16_has_as_many_parameters_as_the_paper_says_up_to_fc6() -> None:
    all_parameters = (
        138_357_544  # configuration D with its three fully connected layers, as Keras counts them
    )
    fc7_and_fc8 = 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert sum(map(math.prod, VGG16.weight_shapes().values())) == all_parameters - fc7_and_fc8


def test_the_compact_networks_head_is_its_last_width() -> None:
    assert COMPACT.head_dim == 320
    assert COMPACT.weight_shapes()["fc6/kernel"] == (320, 512)


@pytest.mark.parametrize("description", [VGG16, COMPACT], ids=lambda description: description.name)
def test_each_convolution_takes_what_the_one_before_gives(description: NetworkDescription) -> None:
    layers = description.conv_layers()
    assert layers[0][1] == 3
    assert [inputs for _, inputs, _ in layers[1:]] == [outputs for _, _, outputs in layers[:-1]]
