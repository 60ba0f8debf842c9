"""Stand-ins for what is slow or large; everything else in the tests is real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from imagesearch.backbones.base import Card, ConvMap, ModelIdentity, NetworkInput, Precision, TextTower
from imagesearch.descriptors.choices import KINDS

FAKE_KINDS = tuple(kind for kind in KINDS if kind != "embedding")
"""The descriptors that stores of the fake network can have."""


class FakeBackbone:
    """A network whose features a person can foretell: mean colours. A `Backbone`."""

    card = Card(
        name="fake",
        title="the fake network",
        licence="MIT",
        source="",
        digest="",
        preprocessing="fake-32-1",
        input=NetworkInput(size_px=32),
        descriptor="fc6",
        conv_map=ConvMap("conv5", stride_px=16, long_side_px=512),
    )
    identity = ModelIdentity(name="fake", digest="f" * 64, preprocessing="fake-32-1")
    precision = Precision.F32
    dim = 4 * 4 * 3

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean colours of a 4 × 4 grid, row by row: shape=(B, 48), 0 to 255."""
        return _mean_colours(images, self.card.input.size_px // 4).reshape(len(images), -1)

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean colour of every 16 × 16 pixels: shape=(B, H // 16, W // 16, 3)."""
        return _mean_colours(images, 16)

    def embed_text(self, text: str) -> NDArray[np.float32]:
        """What a picture of one colour gives, whose name the text is; of any other text that of grey."""
        colour = text if text in ImageColor.colormap else "grey"
        size = (self.card.input.size_px, self.card.input.size_px)
        embedding: NDArray[np.float32] = self.embed(np.array(Image.new("RGB", size, colour))[np.newaxis])[0]
        return embedding


class FakeClip(FakeBackbone):
    """A network that knows the names of colours as well."""

    card = replace(FakeBackbone.card, text=TextTower(max_tokens=8, pad_id=0))


def _mean_colours(images: NDArray[np.uint8], cell_px: int) -> NDArray[np.float32]:
    batch, height, width, _ = images.shape
    rows, columns = height // cell_px, width // cell_px
    whole = images[:, : rows * cell_px, : columns * cell_px]
    cells = whole.reshape(batch, rows, cell_px, columns, cell_px, 3)
    means: NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32)
    return means
