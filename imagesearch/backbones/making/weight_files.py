"""Reading weights: VGG16's from HDF5, EfficientNet-Lite0's from PyTorch's format or .npz."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.backbones.making.efficientnet_layout import EFFICIENTNET_LITE0_LAYOUT, weights_of
from imagesearch.backbones.making.layout import Layout, Weights
from imagesearch.backbones.making.torch_weights import read_tensors
from imagesearch.backbones.making.vgg_layout import VGG16_LAYOUT, VggLayout
from imagesearch.errors import ModelDamaged, ModelUnavailable

if TYPE_CHECKING:
    import h5py


def has_digest(path: Path, digest: str) -> bool:
    """digest: the hash function and the hexadecimal digest, such as "md5:6437…"."""
    algorithm, _, expected = digest.partition(":")
    with path.open("rb") as file:
        hashed = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return hashed.hexdigest() == expected


def layout_for(path: Path) -> Layout:
    """Which network a weights' file is for, by its suffix: .h5 is VGG16, .pth and .npz EfficientNet-Lite0.

    Raises ModelUnavailable when there is no such file.
    """
    if not path.is_file():
        raise ModelUnavailable(
            f"There is no weights' file {path}; give vgg16, efficientnet-lite0, auto, or the path of one."
        )
    if path.suffix.lower() in (".h5", ".hdf5"):
        return VGG16_LAYOUT
    if path.suffix.lower() in (".pth", ".npz"):
        return EFFICIENTNET_LITE0_LAYOUT
    raise ModelUnavailable(
        f"{path.name} is neither .h5 (VGG16) nor .pth or .npz (EfficientNet-Lite0); give one of these."
    )


def read_weights(path: Path) -> tuple[Layout, Weights]:
    """The network that a file holds. Raises ModelUnavailable, ModelDamaged when it is not in the layout."""
    layout = layout_for(path)
    if layout is VGG16_LAYOUT:
        return layout, _checked(layout, _read_h5(path, VGG16_LAYOUT), path)
    read = _read_npz if path.suffix.lower() == ".npz" else _read_pth
    return layout, _checked(layout, read(path), path)


def _read_npz(path: Path) -> Weights:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name].astype(np.float32) for name in arrays.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelDamaged(f"{path.name} is not a readable .npz file; get it again.") from error


def _read_pth(path: Path) -> Weights:
    try:
        return weights_of(EFFICIENTNET_LITE0_LAYOUT, read_tensors(path))
    except (LookupError, ValueError) as error:
        raise ModelDamaged(f"{path.name} does not hold the weights of EfficientNet-Lite0.") from error


def _read_h5(path: Path, layout: VggLayout) -> Weights:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            layers = _layers_by_name(file)
            if layout.fc6_layer not in layers and "block5_conv3" in layers:
                raise ModelDamaged(
                    f"{path.name} has no layer {layout.fc6_layer}: it is a file without the top layers "
                    "(notop); take the full one, vgg16_weights_tf_dim_ordering_tf_kernels.h5."
                )
            weights: Weights = {}
            for name in [*(name for name, _, _ in layout.conv_layers()), layout.fc6_layer]:
                if name not in layers:
                    raise ModelDamaged(f"{path.name} has no layer {name}: it is not VGG16 in Keras' layout.")
                weights |= _read_layer(layers[name], name)
            return weights
    except OSError as error:
        raise ModelDamaged(f"{path.name} is not a readable HDF5 file; get it again.") from error


def _layers_by_name(file: h5py.File) -> dict[str, h5py.Group]:
    """Groups by the name of their layer, the outermost and first of each name.

    Keras 1 and 2 name the group so, at the root or, in a whole model, below "model_weights"; Keras 3 names it
    after the layer's class and keeps the layer's name in an attribute.
    """
    import h5py

    layers: dict[str, h5py.Group] = {}

    def collect(group_path: str, item: object) -> None:
        if isinstance(item, h5py.Group):
            layers.setdefault(str(item.attrs.get("name", group_path.rsplit("/", 1)[-1])), item)

    file.visititems(collect)
    return layers


def _read_layer(layer: h5py.Group, name: str) -> Weights:
    """Each version of Keras names the two arrays differently; the bias is the one of one dimension."""
    import h5py

    arrays: Weights = {}

    def collect(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[f"{name}/bias" if item.ndim == 1 else f"{name}/kernel"] = np.asarray(
                item, dtype=np.float32
            )

    layer.visititems(collect)
    return arrays


def _checked(layout: Layout, weights: Weights, path: Path) -> Weights:
    for key, shape in layout.weight_shapes().items():
        if key not in weights:
            raise ModelDamaged(f"{path.name} has no array {key}: it is not in the layout of {layout.name}.")
        if weights[key].shape != shape:
            raise ModelDamaged(f"{path.name}: {key} is {weights[key].shape} where {shape} is expected.")
        if not np.isfinite(weights[key]).all():
            raise ModelDamaged(f"{path.name}: {key} holds values that are not finite numbers.")
    return weights
