"""Weights' files that the indexer takes, each with its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imagesearch.backbones.making.layout import Layout, Weights
from imagesearch.backbones.making.vgg_layout import VGG16_LAYOUT
from training.checkpoints import disk_full_told, write_arrays


def suffix_of(layout: Layout) -> str:
    """By it the indexer tells which network a file is for."""
    return ".h5" if layout is VGG16_LAYOUT else ".npz"


def write_weights(path: Path, weights: Weights) -> None:
    """In the layout of the suffix; under its name only once it is whole. Raises DiskFull."""
    if path.suffix == ".npz":
        write_npz(path, weights)
    else:
        write_h5(path, weights)


def write_npz(path: Path, weights: Weights) -> None:
    """EfficientNet-Lite0's: kernels in float16, biases in float32."""
    write_arrays(
        path,
        {
            name: array.astype(np.float16) if name.endswith("/kernel") else array.astype(np.float32)
            for name, array in weights.items()
        },
    )


def write_h5(path: Path, weights: Weights) -> None:
    """VGG16's: a group for each layer, float32, as Keras 1 and 2 wrote them."""
    import h5py

    unfinished = path.with_name(f".{path.name}.tmp")
    with disk_full_told(unfinished):
        with h5py.File(unfinished, "w") as file:
            for name, array in weights.items():
                file.create_dataset(name, data=array.astype(np.float32))
        unfinished.replace(path)
