"""Networks for the benchmarks: speed does not depend on what weights hold, so random ones do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WEIGHTS_FILE = Path("var/benchmarks/vgg16-random.weights.h5")


def random_vgg16() -> Path:
    """A file of full-size VGG16 weights, drawn once (He-normal, seed 0), in Keras' own layout."""
    if WEIGHTS_FILE.is_file():
        return WEIGHTS_FILE
    import keras
    from keras.applications import vgg16

    WEIGHTS_FILE.parent.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)
    model = vgg16.VGG16(weights=None)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            scale = np.sqrt(2 / np.prod(kernel.shape[:-1]))
            drawn = rng.standard_normal(kernel.shape, dtype=np.float32) * np.float32(scale)
            layer.set_weights([drawn, np.zeros_like(bias)])
    model.save_weights(WEIGHTS_FILE)
    return WEIGHTS_FILE
