"""Places of one picture on which another lies, and how exactly the two agree there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW_PX = 17
_STEP_PX = 8
"""Windows overlap by half, so that one that straddles an edge has a neighbour that does not."""
_TEXTURED = 16.0
"""Least variance of grey values in a window that can be laid on."""
_TONES = 32
"""Steps of grey that are toned each by itself."""


@dataclass(frozen=True, slots=True)
class Windows:
    """N places of the target where it is overlapped, and how the laid-on picture agrees there."""

    places: NDArray[np.float32]
    """shape=(N, 2), x before y."""
    correlations: NDArray[np.floating]
    variances: NDArray[np.floating]
    """shape=(2, N): of the laid-on picture and of the target."""
    shifts: NDArray[np.floating]
    """shape=(N, 2): how far the laid-on picture would have to move."""
    has_corners: NDArray[np.bool_]
    """Whether a shift can be told along both axes."""
    overlap_px: float
    """Pixels of the target that are overlapped."""

    @property
    def is_textured(self) -> NDArray[np.bool_]:
        return np.asarray(self.variances.max(axis=0) > _TEXTURED)

    @property
    def can_move(self) -> NDArray[np.bool_]:
        is_near = np.abs(self.shifts).max(axis=1, initial=0) < 3
        return np.asarray(self.is_textured & self.has_corners & is_near & (self.correlations > 0.5))


def laid_on_target(
    source: NDArray[np.float32], target: NDArray[np.float32], affinity: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The source in the target's frame and tone, and 1 where it is there, else 0."""
    height, width = target.shape
    laid_on = cv2.warpAffine(source, affinity, (width, height), flags=cv2.INTER_CUBIC)
    inside = cv2.warpAffine(np.ones_like(source), affinity, (width, height)) > 0.999
    mask = cv2.erode(inside.astype(np.float32), np.ones((5, 5)), borderValue=0)
    return _toned(laid_on, target, mask), mask


def _toned(
    laid_on: NDArray[np.float32], target: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Each grey value as the median of what lies under it: what gamma, contrast or a filter did is undone."""
    levels = np.clip(laid_on[mask > 0] * (_TONES / 256), 0, _TONES - 1).astype(np.int64)
    under = np.clip(target[mask > 0], 0, 255).astype(np.int64)
    counts = np.bincount(levels * 256 + under, minlength=_TONES * 256).reshape(_TONES, 256)
    is_known = counts.sum(axis=1) >= 8
    if np.count_nonzero(is_known) < 2:
        return laid_on
    counted = counts[is_known].cumsum(axis=1)
    medians = (counted >= counted[:, -1:] / 2).argmax(axis=1)
    centres = (np.flatnonzero(is_known) + 0.5) * (256 / _TONES)
    return np.asarray(np.interp(laid_on, centres, medians), np.float32)


def windows_of(
    laid_on: NDArray[np.float32], mask: NDArray[np.float32], target: NDArray[np.float32]
) -> Windows:
    """Of each window the correlation, and by one step of Lucas and Kanade (1981) the shift; both indifferent
    to light and contrast, for the window's own mean and gain are taken out."""
    height, width = target.shape
    along_x, along_y = (cv2.Sobel(laid_on, -1, *axis, ksize=3) / 8 for axis in ((1, 0), (0, 1)))
    share = _mean(mask)
    y, x = np.mgrid[_STEP_PX:height:_STEP_PX, _STEP_PX:width:_STEP_PX].reshape(2, -1)
    is_overlapped = (share[y, x] > 0.6) & (mask[y, x] > 0)
    y, x = y[is_overlapped], x[is_overlapped]

    def covariance(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
        means = [(_mean(each * mask) / np.maximum(share, 1e-6))[y, x] for each in (one * other, one, other)]
        return np.asarray(means[0] - means[1] * means[2])

    variances = np.maximum([covariance(laid_on, laid_on), covariance(target, target)], 1e-2)
    together = covariance(laid_on, target)
    gain = together / variances[0]
    xx, xy, yy = covariance(along_x, along_x), covariance(along_x, along_y), covariance(along_y, along_y)
    off_x, off_y = (
        (covariance(target, along) - gain * covariance(laid_on, along))
        / np.where(abs(gain) < 0.05, 0.05, gain)
        for along in (along_x, along_y)
    )
    determinant = np.maximum(xx * yy - xy * xy, 1e-6)
    shifts = np.stack([xy * off_y - yy * off_x, xy * off_x - xx * off_y], axis=1) / determinant[:, None]
    least = (xx + yy) / 2 - np.sqrt(np.maximum(((xx + yy) / 2) ** 2 - determinant, 0))
    return Windows(
        np.stack([x, y], axis=1).astype(np.float32),
        np.clip(together / np.sqrt(variances[0] * variances[1]), -1, 1),
        variances,
        shifts,
        least > 0.5,
        float(mask.sum()),
    )


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Around each pixel."""
    size = (_WINDOW_PX, _WINDOW_PX)
    return np.asarray(cv2.boxFilter(values, -1, size, borderType=cv2.BORDER_CONSTANT))


def in_middle(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each lies in the middle half of their extent, along both axes."""
    lowest, highest = places.min(axis=0), places.max(axis=0)
    off = np.abs(places - (lowest + highest) / 2)
    return np.asarray((off <= (highest - lowest) / 4).all(axis=1))
