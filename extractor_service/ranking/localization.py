"""Where in an indexed picture the query's object is: approximate max-pooling localisation (AML).

Tolias, Sicre & Jégou, "Particular object retrieval with integral max-pooling of CNN activations", ICLR 2016,
section 4. The maximum of a channel over a rectangle R is approximated by a generalised mean,

    max over R of x  ≈  (Σ over R of x^α)^(1/α),   α = 10,

which an integral image gives for any rectangle by four look-ups a channel. The rectangle whose pooled vector
has the largest cosine with the query's MAC vector is looked for on a coarse grid; then its sides move, one by
one cell at a time, while that helps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.normalisation import l2_normalised
from extractor_service.images import Region

ALPHA = 10
"""The paper's: larger is nearer to the maximum, until the sums lose precision."""

COARSE_STEP_CELLS = 3
"""The paper's search step t."""

MIN_SHARE = 0.2
"""Of either side: smaller rectangles answer the query by a texture, not an object."""


@dataclass(frozen=True, slots=True)
class Localization:
    region: Region
    cosine: float
    """Of the query with the region's pooled vector, -1 to 1."""


def localize(query: NDArray[np.float32], conv_map: NDArray[np.float32]) -> Localization:
    """query: shape=(C,), the MAC vector of what is searched for. conv_map: shape=(H, W, C), >= 0."""
    height, width, _ = conv_map.shape
    target, sums = l2_normalised(query), integral(conv_map)
    boxes = coarse_boxes(height, width)
    cosines = box_cosines(target, sums, boxes)
    box, best = boxes[cosines.argmax()], float(cosines.max())
    while True:
        moved = _neighbours(box, height, width)
        cosines = box_cosines(target, sums, moved)
        if cosines.max() <= best:
            break
        box, best = moved[cosines.argmax()], float(cosines.max())
    return Localization(region_of(box, height, width), best)


def region_of(box: NDArray[np.int64], height: int, width: int) -> Region:
    """The box in fractions of the map."""
    top, left, bottom, right = (int(edge) for edge in box)
    return Region(left / width, top / height, (right - left) / width, (bottom - top) / height)


def integral(conv_map: NDArray[np.float32]) -> NDArray[np.float64]:
    """shape=(H + 1, W + 1, C): sums of (x / largest x)^α over all cells above and to the left."""
    height, width, channels = conv_map.shape
    sums = np.zeros((height + 1, width + 1, channels))
    scaled = conv_map / max(float(conv_map.max()), 1e-12)
    sums[1:, 1:] = (scaled.astype(np.float64) ** ALPHA).cumsum(axis=0).cumsum(axis=1)
    return sums


def box_cosines(
    target: NDArray[np.float32], sums: NDArray[np.float64], boxes: NDArray[np.int64]
) -> NDArray[np.float32]:
    """boxes: shape=(B, 4), rows (top, left, bottom, right), the last two exclusive. Returns shape=(B,)."""
    top, left, bottom, right = boxes.T
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    pooled = np.maximum(inside, 0) ** (1 / ALPHA)
    return np.asarray(l2_normalised(pooled.astype(np.float32)) @ target)


def coarse_boxes(height: int, width: int) -> NDArray[np.int64]:
    """Every rectangle between edges on every third cell or the border, at least MIN_SHARE of either side."""
    rows, columns = _intervals(height), _intervals(width)
    return np.array([(top, left, bottom, right) for top, bottom in rows for left, right in columns], np.int64)


def _intervals(length: int) -> list[tuple[int, int]]:
    edges = sorted({*range(0, length, COARSE_STEP_CELLS), length})
    return [(a, b) for a in edges for b in edges if b - a >= _least(length)]


def _least(length: int) -> int:
    return max(1, int(np.ceil(MIN_SHARE * length)))


def _neighbours(box: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    """The box with one side moved by one cell; and itself, so that there is always one."""
    steps = np.concatenate(
        (np.eye(4, dtype=np.int64), -np.eye(4, dtype=np.int64), np.zeros((1, 4), np.int64))
    )
    moved = box + steps
    top, left, bottom, right = moved.T
    within = (top >= 0) & (left >= 0) & (bottom <= height) & (right <= width)
    large = (bottom - top >= _least(height)) & (right - left >= _least(width))
    return np.asarray(moved[within & large])
