from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from imagesearch.backbones.converted import sha256_of
from imagesearch.backbones.making.vgg_layout import VGG16_LAYOUT
from imagesearch.backbones.making.weight_files import has_digest, read_weights
from imagesearch.errors import ModelDamaged, ModelUnavailable

SHAPES = VGG16_LAYOUT.weight_shapes()
LAYERS = [*(name for name, _, _ in VGG16_LAYOUT.conv_layers()), "fc1"]


def empty(group: h5py.Group, path: str, shape: tuple[int, ...]) -> None:
    """A dataset of zeros that takes no room in the file."""
    group.create_dataset(path, shape=shape, dtype=np.float32)


def as_published(file: h5py.File, layers: list[str] = LAYERS) -> None:
    file.attrs["layer_names"] = [name.encode() for name in layers]
    for name in layers:
        empty(file, f"{name}/{name}_W_1:0", SHAPES[f"{name}/kernel"])
        empty(file, f"{name}/{name}_b_1:0", SHAPES[f"{name}/bias"])
    file["block1_conv1/block1_conv1_b_1:0"][:] = np.arange(64)


def as_keras_2_saves_a_whole_model(file: h5py.File) -> None:
    for name in LAYERS:
        empty(file, f"model_weights/{name}/{name}/kernel:0", SHAPES[f"{name}/kernel"])
        empty(file, f"model_weights/{name}/{name}/bias:0", SHAPES[f"{name}/bias"])
        empty(file, f"optimizer_weights/Adam/{name}/kernel/m:0", (3, 3))
    file["model_weights/block1_conv1/block1_conv1/bias:0"][:] = np.arange(64)


def as_keras_3_saves_weights(file: h5py.File) -> None:
    for number, name in enumerate(LAYERS):
        group = file.create_group(f"layers/{'dense' if name == 'fc1' else 'conv2d'}_{number}/vars")
        group.attrs["name"] = name
        empty(group, "0", SHAPES[f"{name}/kernel"])
        empty(group, "1", SHAPES[f"{name}/bias"])
    file["layers/conv2d_0/vars/1"][:] = np.arange(64)


@pytest.mark.parametrize("write", [as_published, as_keras_2_saves_a_whole_model, as_keras_3_saves_weights])
def test_vgg16_is_read_as_every_version_of_keras_writes_it(
    write: Callable[[h5py.File], None], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "vgg16.h5", "w") as file:
        write(file)
    description, weights = read_weights(tmp_path / "vgg16.h5")
    assert description is VGG16_LAYOUT
    assert {key: array.shape for key, array in weights.items()} == SHAPES
    np.testing.assert_array_equal(weights["block1_conv1/bias"], np.arange(64))


def test_a_file_without_the_top_layers_is_told_so(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "vgg16_notop.h5", "w") as file:
        as_published(file, LAYERS[:-1])
    with pytest.raises(ModelDamaged, match=r"no layer fc1.*notop.*take the full one"):
        read_weights(tmp_path / "vgg16_notop.h5")


def test_a_file_of_another_network_is_told_so(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "resnet.h5", "w") as file:
        empty(file, "conv1_conv/kernel:0", (7, 7, 3, 64))
    with pytest.raises(ModelDamaged, match="resnet.h5 has no layer block1_conv1"):
        read_weights(tmp_path / "resnet.h5")


def test_another_shape_is_told_with_both(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "vgg16.h5", "w") as file:
        as_published(file, LAYERS[:-1])
        empty(file, "fc1/kernel:0", (512, 256))
        empty(file, "fc1/bias:0", (256,))
    with pytest.raises(ModelDamaged, match=r"fc1/kernel is \(512, 256\) where \(25088, 4096\)"):
        read_weights(tmp_path / "vgg16.h5")


def test_a_layer_without_bias_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "vgg16.h5", "w") as file:
        as_published(file)
        del file["block3_conv2/block3_conv2_b_1:0"]
    with pytest.raises(ModelDamaged, match="block3_conv2/bias"):
        read_weights(tmp_path / "vgg16.h5")


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "vgg16.h5", "w") as file:
        as_published(file)
        file["block2_conv1/block2_conv1_b_1:0"][3] = np.nan
    with pytest.raises(ModelDamaged, match="block2_conv1/bias holds values that are not finite"):
        read_weights(tmp_path / "vgg16.h5")


@pytest.mark.parametrize("name", ["weights.h5", "weights.npz"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04"])
def test_a_file_that_only_claims_to_be_weights_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelDamaged, match=name):
        read_weights(tmp_path / name)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ModelDamaged, match="array.npz"):
        read_weights(tmp_path / "array.npz")


def savez(path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes allow_pickle for a name


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    savez(tmp_path / "whole.npz", {"stem/kernel": np.zeros((3, 3, 3, 32))})
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:2000])
    with pytest.raises(ModelDamaged, match="cut.npz"):
        read_weights(tmp_path / "cut.npz")


def test_objects_in_an_npz_are_never_unpickled(tmp_path: Path) -> None:
    savez(tmp_path / "objects.npz", {"block1_conv1/kernel": np.array([{}], dtype=object)})
    with pytest.raises(ModelDamaged, match="objects.npz"):
        read_weights(tmp_path / "objects.npz")


@pytest.mark.parametrize("name", ["vgg17", "weights.pt", "nowhere/weights.h5"])
def test_what_is_no_weights_file_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "weights.pt").touch()
    with pytest.raises(ModelUnavailable, match=Path(name).name):
        read_weights(tmp_path / name)


def test_digests_are_of_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")  # FIPS 180-2, B.1
    assert has_digest(tmp_path / "abc", "md5:900150983cd24fb0d6963f7d28e17f72")  # RFC 1321, appendix A.5
