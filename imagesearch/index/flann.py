"""FLANN: trees over the descriptors' principal components, as OpenCV keeps them.

Muja & Lowe, "Fast approximate nearest neighbors with automatic algorithm configuration", VISAPP 2009:
randomised kd-trees (section 3.1) or a hierarchical k-means tree (section 3.2), whichever suits the data; the
builder tries both. A search stops after so many leaves; that is its `visits`.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import array_file, load_array
from imagesearch.index.half_precision import widened
from imagesearch.index.matrix import DescriptorMatrix

TREES_FILE = "index.flann"
FEATURES_FILE = "index.features.npy"
ROTATION_FILE = "index.rotation.faiss"
ALGORITHMS = {
    "kd-trees": {"algorithm": 1, "trees": 8},
    "k-means tree": {"algorithm": 2, "branching": 32, "iterations": 7},
}
BLOCK_ROWS = 16_384


class FlannCodes:
    """`Codes` of float32 components, which the trees point into: they cannot grow."""

    def __init__(
        self, rotation: faiss.LinearTransform, features: NDArray[np.float32], trees: cv2.flann.Index
    ) -> None:
        """features: shape=(rows, d), of every row; must not change."""
        self._rotation = rotation
        self._features = features
        self._trees = trees
        self._lock = threading.Lock()  # OpenCV does not promise that searches may run side by side

    @classmethod
    def read(cls, directory: Path) -> FlannCodes:
        """Raises RuntimeError, OSError, ValueError or cv2.error where the files cannot be read."""
        features = load_array(directory / FEATURES_FILE, mapped=True)
        trees = cv2.flann.Index()
        if not trees.load(features, str(directory / TREES_FILE)):
            raise ValueError("the trees were built on other features")
        return cls(faiss.read_VectorTransform(str(directory / ROTATION_FILE)), features, trees)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._features), self._rotation.d_in

    def candidates(self, query: NDArray[np.float32], count: int, visits: int) -> NDArray[np.int64]:
        turned = self._rotation.apply(query[np.newaxis])
        with self._lock:
            rows, _ = self._trees.knnSearch(turned, count, params={"checks": visits})
        found: NDArray[np.int64] = rows[0][rows[0] >= 0].astype(np.int64)
        return found

    def write(self, directory: Path) -> None:
        """The features lie there already."""
        self._trees.save(str(directory / TREES_FILE))
        faiss.write_VectorTransform(self._rotation, str(directory / ROTATION_FILE))


def write_features(
    rotation: faiss.LinearTransform, descriptors: DescriptorMatrix, directory: Path
) -> NDArray[np.float32]:
    """The components of every row, written in blocks; returned memory-mapped."""
    path = directory / FEATURES_FILE
    with array_file(path, "<f4", (rotation.d_out,)) as file:
        for _, block in descriptors.blocks(BLOCK_ROWS):
            file.write(rotation.apply(widened(block)).tobytes())
    features: NDArray[np.float32] = load_array(path, mapped=True)
    return features
