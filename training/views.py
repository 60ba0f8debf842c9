"""Photos as a camera might have taken them again, by Keras' own layers; only while training."""

from __future__ import annotations

import keras


def views(seed: int) -> keras.Sequential:
    """Of RGB pictures, 0 to 255, views of the same size: mirrored, nearer, shifted, relit.

    Colour is kept nearly as it is: to which place a photo belongs shows in it.
    """
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal", seed=seed, dtype="float32"),
            keras.layers.RandomZoom((-0.3, 0.0), (-0.3, 0.0), seed=seed + 1, dtype="float32"),
            keras.layers.RandomTranslation(0.1, 0.1, seed=seed + 2, dtype="float32"),
            keras.layers.RandomBrightness(0.1, seed=seed + 3, dtype="float32"),
            keras.layers.RandomContrast(0.2, seed=seed + 4, dtype="float32"),
        ],
        name="views",
    )


def begin_stretch(network: keras.Model, stretch: int) -> None:
    """Lets the views of a stretch follow from it alone: Keras' checkpoints leave its generators out."""
    for variable in network.non_trainable_variables:
        if variable.name == "seed_generator_state":
            seed, _ = keras.ops.convert_to_numpy(variable)
            variable.assign([seed, stretch << 16])
