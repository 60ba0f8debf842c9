"""Local features as they are kept: 22 bytes each, the descriptor product-quantised.

Jégou, Douze & Schmid, "Product quantization for nearest neighbor search", PAMI 2011. Only what is kept is
quantised and a query is not (their asymmetric distance, section III-A). The codebook was learnt once, on
other photos (`python -m scripts.learn_codebook`): a store needs none of its own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagesearch.local_features.features import DIM, ORIENTATION_STEPS, LocalFeatures

PARTS = 16
"""Each of 8 values, and one byte."""
CENTROIDS = 256

CODE = np.dtype(
    [("position", "<u2", (2,)), ("scale", "u1"), ("orientation", "u1"), ("descriptor", "u1", (PARTS,))]
)
"""One feature. The position is that of `LocalFeatures`; the scale is in 1/16 octaves above a pixel, the
orientation in 1/256 of a turn: both are looser than verification asks for."""

CODEBOOK_SCALE = 512.0
CODEBOOK_PATH = Path(__file__).with_name("codebook.npy")

_STEPS_PER_OCTAVE = 16
_ORIENTATION_STEP = ORIENTATION_STEPS // 256


def to_codes(features: LocalFeatures) -> NDArray[np.void]:
    """shape=(N,), dtype=CODE."""
    codes = np.empty(len(features), CODE)
    codes["position"] = features.positions
    octaves = np.log2(np.maximum(features.scales.astype(np.float32), 1))
    codes["scale"] = np.minimum(np.rint(octaves * _STEPS_PER_OCTAVE), 255)
    codes["orientation"] = np.rint(features.orientations / _ORIENTATION_STEP).astype(np.int64) % 256
    codes["descriptor"] = _nearest(features.root_sift)
    return codes


def from_codes(codes: NDArray[np.void], width_px: int, height_px: int) -> LocalFeatures:
    """Descriptors are normalised again: quantisation makes them shorter, the more so the rarer they are, and
    without that a wrong match with a common one wins."""
    parts = codebook()[np.arange(PARTS), codes["descriptor"]]
    descriptors = parts.reshape(len(codes), DIM)
    norms = np.linalg.norm(descriptors, axis=1, keepdims=True)
    return LocalFeatures(
        width_px,
        height_px,
        positions=codes["position"],
        scales=np.exp2(codes["scale"] / np.float32(_STEPS_PER_OCTAVE)).astype(np.float16),
        orientations=codes["orientation"].astype(np.uint16) * np.uint16(_ORIENTATION_STEP),
        root_sift=descriptors / np.maximum(norms, np.float32(1e-6)),
    )


@cache
def codebook() -> NDArray[np.float32]:
    """shape=(16, 256, 8): the centroids of each part of a RootSIFT vector."""
    kept: NDArray[np.uint8] = np.load(CODEBOOK_PATH, allow_pickle=False)
    return kept.astype(np.float32) / np.float32(CODEBOOK_SCALE)


def _nearest(root_sift: NDArray[np.float32]) -> NDArray[np.uint8]:
    """root_sift: shape=(N, 128). Returns shape=(N, 16): of each part the nearest centroid."""
    parts = root_sift.reshape(-1, PARTS, DIM // PARTS).transpose(1, 0, 2)
    centroids = codebook()
    likeness = parts @ centroids.transpose(0, 2, 1) - (centroids**2).sum(axis=2)[:, None, :] / 2
    return np.asarray(likeness.argmax(axis=2).T, np.uint8)
