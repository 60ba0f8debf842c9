"""Building into a graph what its pixels go through, so that what serves it gives bytes and knows no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import openvino as ov

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PixelScaling:
    """From pixels of 0 to 255 to what the first layer takes: less the mean, over the scale."""

    mean_rgb: Channels
    scale_rgb: Channels
    channel_order: Literal["rgb", "bgr"] = "rgb"
    """In which the first layer takes the channels."""


def with_pixels(model: ov.Model, scaling: PixelScaling, layout: Literal["NHWC", "NCHW"]) -> ov.Model:
    """The graph with an input of RGB bytes, shape=(B, H, W, 3), in place of its own, laid out as `layout`."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout(layout))
    pixels = steps.input().preprocess().convert_element_type(ov.Type.f32)
    pixels.mean(list(scaling.mean_rgb)).scale(list(scaling.scale_rgb))
    if scaling.channel_order == "bgr":
        pixels.reverse_channels()
    return steps.build()
