from __future__ import annotations

import math

from imagesearch.backbones.making.vgg_layout import VGG16_LAYOUT


def test_vgg16_has_thirteen_convolutions_and_a_head_of_7_by_7_by_512() -> None:
    assert len(VGG16_LAYOUT.conv_layers()) == 13
    assert VGG16_LAYOUT.head_dim == 7 * 7 * 512
    assert VGG16_LAYOUT.weight_shapes()["fc1/kernel"] == (25088, 4096)


def test_vgg16_has_as_many_parameters_as_the_paper_says_up_to_fc6() -> None:
    all_parameters = (
        138_357_544  # configuration D with its three fully connected layers, as Keras counts them
    )
    fc7_and_fc8 = 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert sum(map(math.prod, VGG16_LAYOUT.weight_shapes().values())) == all_parameters - fc7_and_fc8


def test_each_convolution_takes_what_the_one_before_gives() -> None:
    layers = VGG16_LAYOUT.conv_layers()
    assert layers[0][1] == 3
    assert [inputs for _, inputs, _ in layers[1:]] == [outputs for _, _, outputs in layers[:-1]]
