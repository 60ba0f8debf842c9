"""Reading `preprocessor_config.json`, which says how a model of Hugging Face's layout takes its pictures.

What is set and not understood is refused by its name: a guess would describe pictures slightly wrong, and
nobody would see it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagesearch.backbones.base import Interpolation, NetworkInput
from imagesearch.backbones.making.pixels import Channels, PixelScaling
from imagesearch.errors import ModelDamaged

Config = Mapping[str, Any]

FILE_NAME = "preprocessor_config.json"
INTERPOLATIONS: dict[int, Interpolation] = {  # as Pillow numbers them
    0: "nearest",
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
    4: "box",
    5: "hamming",
}
UNDERSTOOD = {
    "do_resize", "size", "resample", "default_to_square", "do_center_crop", "crop_size", "crop_pct",
    "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "do_flip_channel_order",
    "do_convert_rgb",
}  # fmt: skip
WITHOUT_EFFECT = {
    "image_processor_type", "feature_extractor_type", "processor_class", "_valid_processor_keys",
    "data_format", "input_data_format", "return_tensors", "device", "disable_grouping", "image_seq_length",
    "num_channels", "do_reduce_labels",
}  # fmt: skip
"""They name classes and the layout of arrays in memory, or speak of labels."""
RESCALE_FACTOR = 1 / 255
CONVNEXT_CROPS_BELOW_PX = 384
"""ConvNeXT's processor takes `crop_pct` below this size only, and squashes pictures from there up."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How pictures enter a network."""

    input: NetworkInput
    scaling: PixelScaling


def read_preprocessing(config: Config) -> Preprocessing:
    """config: the file's content. Raises ModelDamaged, naming the key that is not understood."""
    for key, value in config.items():
        if key not in UNDERSTOOD | WITHOUT_EFFECT and value not in (None, False):
            raise _refused(key, value, "which is not known here")
    if config.get("do_resize") is False:
        raise _refused("do_resize", False, "but pictures come in all sizes and must be resized")
    return Preprocessing(_network_input(config), _scaling(config))


def _network_input(config: Config) -> NetworkInput:
    interpolation = _interpolation(config)
    size = _size(config)
    if "crop_pct" in config and config["crop_pct"] is not None:
        return _convnext_input(config, size, interpolation)
    if "shortest_edge" not in size:
        size_px = _square(config, "size", size)
        if not config.get("do_center_crop") or _crop_px(config) == size_px:
            return NetworkInput(size_px, interpolation=interpolation)
        raise _refused("do_center_crop", True, "which needs a size by shortest_edge")
    short_side_px = _pixels(config, "size", size["shortest_edge"])
    if not config.get("do_center_crop"):
        raise _refused("size", config["size"], "which without do_center_crop leaves pictures of all shapes")
    crop_px = _crop_px(config)
    if crop_px > short_side_px:
        raise _refused("crop_size", config["crop_size"], "which is larger than the shortest edge")
    return NetworkInput(crop_px, "crop", short_side_px, interpolation)


def _convnext_input(config: Config, size: Config, interpolation: Interpolation) -> NetworkInput:
    size_px = _pixels(config, "size", size.get("shortest_edge", size.get("height")))
    crop_pct = config["crop_pct"]
    if not isinstance(crop_pct, float | int) or not 0 < crop_pct <= 1:
        raise _refused("crop_pct", crop_pct, "which must be a share, above 0 and at most 1")
    if size_px >= CONVNEXT_CROPS_BELOW_PX:
        return NetworkInput(size_px, interpolation=interpolation)
    return NetworkInput(size_px, "crop", int(size_px / crop_pct), interpolation)


def _interpolation(config: Config) -> Interpolation:
    resample = config.get("resample")
    if type(resample) is not int or resample not in INTERPOLATIONS:
        raise _refused("resample", resample, "which must be one of Pillow's numbers, 0 to 5")
    return INTERPOLATIONS[resample]


def _size(config: Config) -> Config:
    """By "shortest_edge", or by "height" and "width"; what a single number means differs by processor."""
    size = config.get("size")
    if isinstance(size, int):
        is_square = config.get("default_to_square", not config.get("do_center_crop"))
        return {"height": size, "width": size} if is_square else {"shortest_edge": size}
    if not isinstance(size, Mapping) or set(size) not in ({"shortest_edge"}, {"height", "width"}):
        raise _refused("size", size, "which must be a number, a shortest_edge, or a height and a width")
    return size


def _crop_px(config: Config) -> int:
    crop = config.get("crop_size")
    if isinstance(crop, Mapping):
        return _square(config, "crop_size", crop)
    return _pixels(config, "crop_size", crop)


def _square(config: Config, key: str, size: Config) -> int:
    if size.get("height") != size.get("width"):
        raise _refused(key, config[key], "which is not square, as it must be here")
    return _pixels(config, key, size.get("height"))


def _pixels(config: Config, key: str, value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 4096:
        raise _refused(key, config.get(key), "which is no size from 1 to 4096 pixels")
    return value


def _scaling(config: Config) -> PixelScaling:
    """From pixels of 0 to 255: first times `rescale_factor`, then less the mean, over the deviation."""
    factor = 1.0
    if config.get("do_rescale") is not False:
        factor = config.get("rescale_factor", RESCALE_FACTOR)
        if not isinstance(factor, float | int) or not 0 < factor < math.inf:
            raise _refused("rescale_factor", factor, "which is no positive number")
    mean, deviation = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if config.get("do_normalize", "image_mean" in config):
        mean, deviation = _channels(config, "image_mean"), _channels(config, "image_std")
        if min(deviation) <= 0:
            raise _refused("image_std", config["image_std"], "which must be positive")
    is_bgr = config.get("do_flip_channel_order")
    return PixelScaling(_over(mean, factor), _over(deviation, factor), "bgr" if is_bgr else "rgb")


def _over(channels: Channels, factor: float) -> Channels:
    red, green, blue = (value / factor for value in channels)
    return red, green, blue


def _channels(config: Config, key: str) -> Channels:
    values = config.get(key)
    if not isinstance(values, list) or len(values) != 3 or not all(_is_finite(value) for value in values):
        raise _refused(key, values, "which must be three numbers")
    return values[0], values[1], values[2]


def _is_finite(value: object) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)


def _refused(key: str, value: object, why: str) -> ModelDamaged:
    shown = "nothing" if value is None else str(value)[:60]
    return ModelDamaged(f"{FILE_NAME} sets {key} to {shown}, {why}; correct it or take another export.")
