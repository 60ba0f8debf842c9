"""What `preprocessor_config.json` says is done, and what it says that is not known is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest

from imagesearch.backbones.base import NetworkInput
from imagesearch.backbones.making.preprocessor import read_preprocessing
from imagesearch.errors import ModelDamaged

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
SQUARE = {"height": 224, "width": 224}

# As published with models of each kind, less the values that do not matter here.
CLIP = {
    **IMAGENET, "crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor", "resample": 3, "size": 224,
}  # fmt: skip
DINO_V2 = {
    **IMAGENET, "crop_size": SQUARE, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
    "do_rescale": True, "do_resize": True, "image_processor_type": "BitImageProcessor", "resample": 3,
    "rescale_factor": 1 / 255, "size": {"shortest_edge": 256},
}  # fmt: skip
SIGLIP = {
    "do_convert_rgb": None, "do_normalize": True, "do_rescale": True, "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "processor_class": "SiglipProcessor",
    "image_processor_type": "SiglipImageProcessor", "resample": 2, "rescale_factor": 1 / 255, "size": SQUARE,
}  # fmt: skip
OLD_VIT = {
    "do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
    "resample": 2, "size": 224,
}  # fmt: skip
CONVNEXT = {
    **IMAGENET, "crop_pct": 0.875, "do_normalize": True, "do_rescale": True, "do_resize": True, "resample": 3,
    "rescale_factor": 1 / 255, "size": {"shortest_edge": 224},
}  # fmt: skip
MOBILE_CLIP = {
    "crop_size": {"height": 256, "width": 256}, "do_center_crop": True, "do_convert_rgb": True,
    "do_normalize": False, "do_rescale": True, "do_resize": True, "resample": 2, "rescale_factor": 1 / 255,
    "feature_extractor_type": "CLIPFeatureExtractor", "image_processor_type": "CLIPFeatureExtractor",
    "size": {"shortest_edge": 256},
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (CLIP, NetworkInput(224, "crop", 224, "bicubic")),
        (DINO_V2, NetworkInput(224, "crop", 256, "bicubic")),
        (SIGLIP, NetworkInput(224, "squash", 0, "bilinear")),
        (OLD_VIT, NetworkInput(224, "squash", 0, "bilinear")),
        (CONVNEXT, NetworkInput(224, "crop", 256, "bicubic")),
        ({**CONVNEXT, "size": {"shortest_edge": 384}}, NetworkInput(384, "squash", 0, "bicubic")),
        (MOBILE_CLIP, NetworkInput(256, "crop", 256, "bilinear")),
    ],
)
def test_a_picture_is_fitted_as_the_models_own_processor_does(
    config: dict[str, Any], expected: NetworkInput
) -> None:
    assert read_preprocessing(config).input == expected


@pytest.mark.parametrize(
    ("config", "mean", "scale", "order"),
    [
        (SIGLIP, 127.5, 127.5, "rgb"),
        (OLD_VIT, 127.5, 127.5, "rgb"),
        (MOBILE_CLIP, 0, 255, "rgb"),
        ({**SIGLIP, "do_rescale": False, "image_mean": [127] * 3, "image_std": [128] * 3}, 127, 128, "rgb"),
        (
            {**SIGLIP, "rescale_factor": 1 / 127.5, "image_mean": [1] * 3, "image_std": [1] * 3},
            127.5,
            127.5,
            "rgb",
        ),
        ({**SIGLIP, "do_flip_channel_order": True}, 127.5, 127.5, "bgr"),
    ],
)
def test_pixels_are_scaled_as_the_models_own_processor_does(
    config: dict[str, Any], mean: float, scale: float, order: str
) -> None:
    scaling = read_preprocessing(config).scaling
    assert scaling.mean_rgb == pytest.approx((mean,) * 3)
    assert scaling.scale_rgb == pytest.approx((scale,) * 3)
    assert scaling.channel_order == order


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"do_pad": True}, "do_pad"),
        ({"do_pad": False, "pad_size": 8}, "pad_size"),
        ({"auto_map": {"AutoImageProcessor": "custom.Processor"}}, "auto_map"),
        ({"patch_size": 16}, "patch_size"),
        ({"do_resize": False}, "do_resize"),
        ({"resample": None}, "resample"),
        ({"resample": 9}, "resample"),
        ({"resample": True}, "resample"),
        ({"size": None}, "size"),
        ({"size": {"longest_edge": 224}}, "size"),
        ({"size": {"height": 224, "width": 256}}, "size"),
        ({"size": {"shortest_edge": 224}}, "size"),
        ({"size": 0}, "size"),
        ({"size": {"shortest_edge": 200}, "do_center_crop": True, "crop_size": 224}, "crop_size"),
        ({"size": {"shortest_edge": 256}, "do_center_crop": True}, "crop_size"),
        ({"do_center_crop": True, "crop_size": 200}, "do_center_crop"),
        ({"crop_pct": 2}, "crop_pct"),
        ({"image_mean": [0.5]}, "image_mean"),
        ({"image_std": [0.5, 0, 0.5]}, "image_std"),
        ({"image_std": ["a", "b", "c"]}, "image_std"),
        ({"rescale_factor": 0}, "rescale_factor"),
    ],
)
def test_what_is_not_understood_is_named(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(ModelDamaged, match=f"sets {key} to"):
        read_preprocessing({**SIGLIP, **changed})


def test_keys_that_are_off_do_not_matter() -> None:
    off = {"do_pad": False, "pad_size": None, "auto_map": None}
    assert read_preprocessing({**SIGLIP, **off}) == read_preprocessing(SIGLIP)
