"""EfficientNet-Lite0 once more, in plain NumPy and float64, from its published tensors."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.making.prepare import packaged_efficientnet
from imagesearch.backbones.making.torch_weights import read_tensors

Maps = NDArray[np.float64]

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the sixteen blocks."""


@cache
def _tensors() -> dict[str, Maps]:
    return {name: array.astype(np.float64) for name, array in read_tensors(packaged_efficientnet()).items()}


def efficientnet(pictures: NDArray[np.uint8]) -> tuple[Maps, Maps]:
    """pictures: (B, H, W, 3). Returns the last map (B, H / 32, W / 32, 1280) and its mean (B, 1280)."""
    maps = _relu6(_normalised("_bn0", _convolved("_conv_stem", (pictures - 127.0) / 128, stride=2)))
    for number, stride in enumerate(STRIDES):
        maps = _block(f"_blocks.{number}", maps, stride)
    maps = _relu6(_normalised("_bn1", _convolved("_conv_head", maps)))
    return maps, maps.mean(axis=(1, 2))


def _block(name: str, inputs: Maps, stride: int) -> Maps:
    maps = inputs
    if f"{name}._expand_conv.weight" in _tensors():
        maps = _relu6(_normalised(f"{name}._bn0", _convolved(f"{name}._expand_conv", maps)))
    maps = _relu6(_normalised(f"{name}._bn1", _convolved(f"{name}._depthwise_conv", maps, stride)))
    maps = _normalised(f"{name}._bn2", _convolved(f"{name}._project_conv", maps))
    return maps + inputs if maps.shape == inputs.shape else maps


def _convolved(name: str, maps: Maps, stride: int = 1) -> Maps:
    """The sum over the kernel's places, with TensorFlow's padding: the least, more of it at the end."""
    kernel = _tensors()[f"{name}.weight"].transpose(2, 3, 1, 0)
    size, _, inputs, _ = kernel.shape
    outputs = [-(-side // stride) for side in maps.shape[1:3]]
    missing = [
        max((out - 1) * stride + size - side, 0) for out, side in zip(outputs, maps.shape[1:3], strict=True)
    ]
    padded = np.pad(maps, ((0, 0), *((each // 2, each - each // 2) for each in missing), (0, 0)))
    total: Maps = np.zeros(())
    for row in range(size):
        for column in range(size):
            seen = padded[:, row::stride, column::stride][:, : outputs[0], : outputs[1]]
            weights = kernel[row, column]
            total = total + (seen * weights[0] if inputs == 1 else seen @ weights)
    return total


def _normalised(name: str, maps: Maps) -> Maps:
    gain, shift, mean, variance = (
        _tensors()[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (maps - mean) / np.sqrt(variance + 1e-3) * gain + shift


def _relu6(maps: Maps) -> Maps:
    return np.clip(maps, 0, 6)
