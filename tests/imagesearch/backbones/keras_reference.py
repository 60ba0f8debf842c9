"""VGG16 by Keras alone: writes weights as Keras publishes them, reads them with Keras' own loader, and notes
what the network answers. Run as a program, so that TensorFlow's memory ends with it."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

OUTPUTS = ("fc1", "block5_conv3")


def write_weights(model: keras.Model, path: Path, seed: int) -> None:
    """Random weights, laid out as published; of the scale of He et al. 2015, which keeps features alive."""
    rng = np.random.default_rng(seed)
    layers = [layer for layer in model.layers if layer.weights]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{part}_1:0".encode() for part in "Wb"] if layer in layers else []
            group.attrs["weight_names"] = names
            for name, variable in zip(names, layer.weights, strict=True):
                group.create_dataset(name, data=_random(rng, variable.shape))


def _random(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    scale = 0.1 if len(shape) == 1 else np.sqrt(2 / np.prod(shape[:-1]))
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)


def main(weights_file: str, pixels_file: str, answers_file: str) -> None:
    keras.utils.disable_interactive_logging()
    write_weights(keras.applications.VGG16(weights=None), Path(weights_file), seed=16)
    model = keras.applications.VGG16(weights=weights_file)
    network = keras.Model(model.input, [model.get_layer(name).output for name in OUTPUTS])
    pixels = keras.applications.vgg16.preprocess_input(np.load(pixels_file).astype(np.float32))
    np.savez(answers_file, **dict(zip(OUTPUTS, network.predict(pixels, batch_size=4), strict=True)))


if __name__ == "__main__":
    main(*sys.argv[1:])
