"""python -m scripts.learn_codebook FOLDER: learns what local features are kept by, from a folder of photos.

Photos smaller than what features are found in are enlarged to it first. Other photos than those that results
are measured on: a codebook that has seen them would flatter its figures. A store whose features were coded
with one codebook cannot be read with another.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.local_features import RootSift, cells, codes
from imagesearch.local_features.features import DIM

PHOTOS = 2_000
LONG_SIDE_PX = 640
FEATURES_FOUND = 500
FEATURES_OF_EACH = 100
CELL_ITERATIONS = 25
_SEED = 20110101


def main(folder: Path) -> None:
    cv2.setRNGSeed(_SEED)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp"))
    chosen = np.random.default_rng(_SEED).permutation(len(paths))[:PHOTOS]
    features = np.concatenate([_features(paths[place]) for place in chosen])
    np.save(codes.CODEBOOK_PATH, _codebook(features))
    np.savez(
        cells.CELLS_PATH, allow_pickle=False, centroids=_cell_centroids(features), directions=_directions()
    )


def _codebook(features: NDArray[np.float32]) -> NDArray[np.uint8]:
    quantizer = faiss.ProductQuantizer(DIM, codes.PARTS, 8)
    quantizer.train(features)
    centroids = faiss.vector_to_array(quantizer.centroids).reshape(codes.PARTS, codes.CENTROIDS, -1)
    return _rounded(centroids, codes.CODEBOOK_SCALE)


def _cell_centroids(features: NDArray[np.float32]) -> NDArray[np.uint8]:
    """shape=(2, CENTROIDS, HALF)"""
    centroids = []
    for half in np.split(features, 2, axis=1):
        clustering = faiss.Kmeans(cells.HALF, cells.CENTROIDS, niter=CELL_ITERATIONS, seed=_SEED)
        clustering.train(np.ascontiguousarray(half))
        centroids.append(clustering.centroids)
    return _rounded(np.array(centroids), cells.CENTROIDS_SCALE)


def _directions() -> NDArray[np.int8]:
    """shape=(DIM, SIGNATURE_BITS): orthogonal ones at random, of any length."""
    drawn = np.random.default_rng(_SEED).normal(size=(DIM, DIM))
    directions = np.linalg.qr(drawn)[0][:, : cells.SIGNATURE_BITS]
    return np.asarray(np.rint(directions / np.abs(directions).max() * 127), np.int8)


def _rounded(centroids: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(centroids * scale), 0, 255), np.uint8)


def _features(path: Path) -> NDArray[np.float32]:
    """shape=(N, 128): some of the photo's, at random."""
    image = Image.open(path).convert("RGB")
    grown = LONG_SIDE_PX / max(image.size)
    image = image.resize((round(image.width * grown), round(image.height * grown)), Image.Resampling.BICUBIC)
    found = RootSift(LONG_SIDE_PX, FEATURES_FOUND).extract(np.asarray(image)).root_sift
    return np.random.default_rng(_SEED).permutation(found)[:FEATURES_OF_EACH]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
