"""SIFT features with the Hellinger kernel.

SIFT: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, by OpenCV.
RootSIFT: Arandjelović & Zisserman, "Three things everyone should know to improve object retrieval", CVPR
2012, section 3: the element-wise square root of the L1-normalised descriptor. The Euclidean distance of two
RootSIFT vectors compares the SIFT histograms by the Hellinger kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imagesearch.bounded import bounded
from imagesearch.local_features.features import (
    DESCRIPTOR_SCALE,
    DIM,
    ORIENTATION_STEPS,
    POSITION_STEPS_PER_PX,
    LocalFeatures,
)

VERIFIED_LONG_SIDE_PX = 448
"""Of photos by a simulated phone (`benchmarks.quality --phone`) as many are found as at 640, in half of the
time."""
VERIFIED_FEATURES = 500
"""The strongest of each picture. Of 511 right pairs of Holidays photos 0.81 are then verified, by 1,000 0.86;
of photos halved, turned and recompressed as many as by 1,000 (0.98), in 1.2 ms instead of 4.1."""
QUERY_FEATURES = 1_000
"""Of photos by a simulated phone at middling strength 0.97 are found first, with 500 features 0.94."""


@dataclass(frozen=True, slots=True)
class RootSift:
    """Finds and describes local features. Immutable, picklable and thread-safe."""

    long_side_px: int = 1024
    """Larger pictures are shrunk to this; smaller ones stay as they are."""
    max_features: int = 1000
    """Of more, those of the strongest response are kept."""
    upright: bool = False
    """Take up as up: better where all photos are, blind to a photo lying on its side."""
    contrast_threshold: float = 0.02
    """Half of OpenCV's 0.04: soft or small photos would otherwise give a few dozen features."""

    @classmethod
    def to_verify(cls, upright: bool) -> RootSift:
        """As many as verification compares, of a picture as small as serves it."""
        return cls(VERIFIED_LONG_SIDE_PX, VERIFIED_FEATURES, upright)

    @classmethod
    def of_query(cls, upright: bool) -> RootSift:
        """More of a query: what it shows may fill a part of it."""
        return cls(VERIFIED_LONG_SIDE_PX, QUERY_FEATURES, upright)

    def extract(self, rgb: NDArray[np.uint8]) -> LocalFeatures:
        """rgb: shape=(H, W, 3), dtype=uint8. A picture without texture gives no features."""
        gray = bounded(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), self.long_side_px)
        sift = cv2.SIFT.create(nfeatures=self.max_features, contrastThreshold=self.contrast_threshold)
        if self.upright:
            keypoints, sift_vectors = _described(sift, gray, _turned_upright(sift.detect(gray, None)))
        else:
            keypoints, sift_vectors = sift.detectAndCompute(gray, None)
        if not keypoints:
            return _packed(gray, [], np.empty((0, DIM), np.float32))
        strongest = _strongest_first(keypoints)[: self.max_features]
        return _packed(gray, [keypoints[i] for i in strongest], root_sift(sift_vectors[strongest]))


def root_sift(sift_vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """sift_vectors: shape=(N, 128), >= 0. Returns the same shape, rows L2-normalised, zero rows kept."""
    sums = sift_vectors.sum(axis=1, keepdims=True)
    rooted: NDArray[np.float32] = np.sqrt(sift_vectors / np.maximum(sums, 1e-12), dtype=np.float32)
    return rooted


def _described(
    sift: cv2.SIFT, gray: NDArray[np.uint8], keypoints: Sequence[cv2.KeyPoint]
) -> tuple[Sequence[cv2.KeyPoint], NDArray[np.float32]]:
    """OpenCV fails when it is asked to describe no keypoints."""
    return sift.compute(gray, keypoints) if keypoints else ([], np.empty((0, DIM), np.float32))


def _strongest_first(keypoints: Sequence[cv2.KeyPoint]) -> NDArray[np.intp]:
    """Keypoints of equal response (one place, several orientations) in a fixed order, whatever OpenCV's."""
    columns = np.array([(point.angle, point.size, *point.pt, -point.response) for point in keypoints])
    return np.lexsort(columns.T)


def _turned_upright(keypoints: Sequence[cv2.KeyPoint]) -> list[cv2.KeyPoint]:
    """One keypoint a place and size, at angle 0: SIFT repeats a keypoint for each strong orientation."""
    distinct: dict[tuple[float, float, float], cv2.KeyPoint] = {}
    for keypoint in keypoints:
        keypoint.angle = 0.0
        distinct.setdefault((*keypoint.pt, keypoint.size), keypoint)
    return list(distinct.values())


def _packed(
    gray: NDArray[np.uint8], keypoints: Sequence[cv2.KeyPoint], vectors: NDArray[np.float32]
) -> LocalFeatures:
    points = np.array([keypoint.pt for keypoint in keypoints], dtype=np.float64).reshape(-1, 2)
    turns = np.array([keypoint.angle for keypoint in keypoints], dtype=np.float64) / 360.0
    return LocalFeatures(
        width_px=gray.shape[1],
        height_px=gray.shape[0],
        positions=np.clip(np.rint(points * POSITION_STEPS_PER_PX), 0, 65_535).astype(np.uint16),
        scales=np.array([keypoint.size for keypoint in keypoints], dtype=np.float16),
        orientations=(np.rint(turns * ORIENTATION_STEPS).astype(np.int64) % ORIENTATION_STEPS).astype(
            np.uint16
        ),
        root_sift=np.minimum(np.rint(vectors * DESCRIPTOR_SCALE), 255) / np.float32(DESCRIPTOR_SCALE),
    )
