"""The card of every network that this program knows by name."""

from __future__ import annotations

from imagesearch.backbones.base import Card, ConvMap, NetworkInput

VGG16 = Card(
    name="vgg16",
    title="VGG16 (ImageNet)",
    licence="CC BY 4.0",
    source="Simonyan & Zisserman 2015, trained on ImageNet; the conversion that Keras publishes",
    digest="md5:64373286793e3c8b2b4e3219cbf3544b",
    preprocessing="keras-vgg16-224-bicubic-2",
    input=NetworkInput(size_px=224),
    descriptor="fc6",
    conv_map=ConvMap("conv5", stride_px=16, long_side_px=512),
)

COMPACT = Card(
    name="compact",
    title="the compact network",
    licence="MIT",
    source="This project; see models/README.md",
    digest="sha256:d8192e8b3c987a37d5c6cd5ceb06f188f0957f8ac9c8842cff0dd696707f50e4",
    preprocessing="compact-96-bicubic-2",
    input=NetworkInput(size_px=96),
    descriptor="fc6",
    conv_map=ConvMap("conv5", stride_px=16, long_side_px=224),
)

CARDS = {card.name: card for card in (VGG16, COMPACT)}
