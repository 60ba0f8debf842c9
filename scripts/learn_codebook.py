"""python -m scripts.learn_codebook FOLDER: learns the codebook of local features from a folder of photos.

Photos smaller than what features are found in are enlarged to it first. Other photos than those that results
are measured on: a codebook that has seen them would flatter its figures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.local_features import RootSift
from imagesearch.local_features.codes import CENTROIDS, CODEBOOK_PATH, CODEBOOK_SCALE, PARTS
from imagesearch.local_features.features import DIM
from imagesearch.local_features.rootsift import VERIFIED_LONG_SIDE_PX

PHOTOS = 2_000
FEATURES_OF_EACH = 100
_SEED = 20110101


def main(folder: Path) -> None:
    cv2.setRNGSeed(_SEED)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp"))
    chosen = np.random.default_rng(_SEED).permutation(len(paths))[:PHOTOS]
    features = np.concatenate([_features(paths[place]) for place in chosen])
    quantizer = faiss.ProductQuantizer(DIM, PARTS, 8)
    quantizer.train(features)
    centroids = faiss.vector_to_array(quantizer.centroids).reshape(PARTS, CENTROIDS, DIM // PARTS)
    np.save(CODEBOOK_PATH, np.clip(np.rint(centroids * CODEBOOK_SCALE), 0, 255).astype(np.uint8))


def _features(path: Path) -> NDArray[np.float32]:
    """shape=(N, 128): some of the photo's, at random."""
    image = Image.open(path).convert("RGB")
    grown = VERIFIED_LONG_SIDE_PX / max(image.size)
    image = image.resize((round(image.width * grown), round(image.height * grown)), Image.Resampling.BICUBIC)
    found = RootSift.to_verify(upright=False).extract(np.asarray(image)).root_sift
    return np.random.default_rng(_SEED).permutation(found)[:FEATURES_OF_EACH]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
