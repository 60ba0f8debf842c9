"""The way of the 2017 live coding, written out plainly: what every other figure is compared with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import flask
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def keras_extractor(weights_file: Path) -> Callable[[Image.Image], NDArray[np.float32]]:
    """VGG16 up to fc1 by Keras `predict`, one photo at a time. Imports TensorFlow."""
    import keras
    from keras.applications import vgg16

    base = vgg16.VGG16(weights=None)
    base.load_weights(weights_file)
    model = keras.Model(inputs=base.input, outputs=base.get_layer("fc1").output)

    def extract(image: Image.Image) -> NDArray[np.float32]:
        x = np.expand_dims(np.asarray(image.resize((224, 224)).convert("RGB"), dtype=np.float32), axis=0)
        feature = model.predict(vgg16.preprocess_input(x), verbose=0)[0]
        return np.asarray(feature / np.linalg.norm(feature), dtype=np.float32)

    return extract


def linear_scan(
    query: NDArray[np.float32], features: NDArray[np.float32], k: int = 30
) -> list[tuple[float, int]]:
    """Distances to all rows and the k nearest, as the seed computes them."""
    distances = np.linalg.norm(features - query, axis=1)
    return [(float(distances[row]), int(row)) for row in np.argsort(distances)[:k]]


def flask_app(
    extract: Callable[[Image.Image], NDArray[np.float32]], features: NDArray[np.float32]
) -> flask.Flask:
    """The seed's form with one file, answered by the scores; the photo is read from memory, not saved."""
    app = flask.Flask(__name__)

    @app.post("/")
    def search() -> list[tuple[float, int]]:
        with Image.open(flask.request.files["query_img"].stream) as image:
            return linear_scan(extract(image), features)

    return app
