"""Lays one small picture onto another and measures how exactly they agree, place by place.

A copy of a picture, however it was cut, turned, scaled or toned, agrees with it to a tenth of a pixel
everywhere. Another shot does not: the lens bends it otherwise, and what is near has moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imagesearch.local_features import LocalFeatures, RootSift
from imagesearch.local_features.mirrored import mirrored
from imagesearch.ranking.verification import SpatialMatch, verify
from imagesearch.ranking.windows import Windows, in_middle, laid_on_target, windows_of

LONG_SIDE_PX = 256
"""Of the pictures that are compared: thumbnails have as many."""
_FEATURES = RootSift(long_side_px=LONG_SIDE_PX, max_features=400)

_SOFTENING_PX = 1.0
"""Of the blur before anything is compared: compression and scaling differ in what is finer."""
_ROUNDS = 4
"""Of laying on again by what the windows say they are off."""
_BLANK = 2.0
"""Most variance of a window that shows nothing: a border, a bar, the corner beside a turned picture."""
_LEAST_WINDOWS = 6


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """What of a picture is compared."""

    grey: NDArray[np.float32]
    """shape=(H, W), 0 to 255, the long side `LONG_SIDE_PX` or less."""
    features: LocalFeatures

    @classmethod
    def of(cls, rgb: NDArray[np.uint8]) -> SmallPicture:
        """rgb: shape=(H, W, 3), of that size."""
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return cls(grey, _FEATURES.extract(rgb))

    def mirrored(self) -> SmallPicture:
        return SmallPicture(np.ascontiguousarray(self.grey[:, ::-1]), mirrored(self.features))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two pictures agree where one lies on the other. Shares are of windows with texture in either."""

    inliers: int
    """Local features that agree with one transformation."""
    correlation: float
    """The median over the windows, −1 to 1, whatever the tone of each."""
    matching: float
    """Share whose correlation is at least 0.5."""
    differing: float
    """Share whose correlation is below 0.7, but for those of which one side is blank."""
    differing_inside: float
    """The same share of the windows in the middle half of the overlap, where nobody writes a caption."""
    blank: float
    """Share of which one side shows nothing."""
    shift_px: float
    """How far parts of the overlap are off when the whole lies as well as it can."""
    turn_deg: float
    """From the nearest quarter turn, 0 to 45."""
    stretch: float
    """0 where all directions are scaled alike, 0.25 where one is by a quarter more."""
    cover: tuple[float, float]
    """Share of the one picture and of the other that lies in the overlap."""


def agreement(left: SmallPicture, right: SmallPicture) -> Agreement | None:
    """None where no transformation lays one onto the other; mirroring is tried as well."""
    match = verify(left.features, right.features)
    reflected = left.mirrored()
    mirror_match = verify(reflected.features, right.features)
    if mirror_match is not None and (match is None or mirror_match.inliers > match.inliers):
        left, match = reflected, mirror_match
    if match is None:
        return None
    affinity = _affinity(left, right, match)
    return None if affinity is None else _measured(left.grey, right.grey, affinity, match.inliers)


def _affinity(left: SmallPicture, right: SmallPicture, match: SpatialMatch) -> NDArray[np.float64] | None:
    """shape=(2, 3), from pixels of the left one to pixels of the right one."""
    from_points, to_points = (
        points * np.array([picture.features.width_px, picture.features.height_px], np.float32)
        for points, picture in ((match.query_points, left), (match.candidate_points, right))
    )
    affinity, _ = cv2.estimateAffine2D(
        from_points, to_points, method=cv2.USAC_ACCURATE, ransacReprojThreshold=2.0, maxIters=300
    )
    return None if affinity is None else np.asarray(affinity, np.float64)


def _measured(
    left: NDArray[np.float32], right: NDArray[np.float32], affinity: NDArray[np.float64], inliers: int
) -> Agreement | None:
    """The best of several rounds. The larger picture is brought down to the scale of the other first."""
    scale = float(np.sqrt(abs(np.linalg.det(affinity[:, :2]))))
    if scale > 1:
        left, right = right, left
        affinity, scale = cv2.invertAffineTransform(affinity), 1 / scale
    source, affinity = _scaled(left, affinity, scale)
    source, target = (cv2.GaussianBlur(grey, (0, 0), _SOFTENING_PX) for grey in (source, right))
    best: Agreement | None = None
    for _ in range(_ROUNDS):
        windows = windows_of(*laid_on_target(source, target, affinity), target)
        if np.count_nonzero(windows.can_move) < _LEAST_WINDOWS:
            break
        found = _agreement(windows, affinity, source.shape, target.shape, inliers)
        if best is None or found.correlation - found.differing >= best.correlation - best.differing:
            best = found
        affinity = _moved(affinity, windows)
    return best


def _scaled(
    grey: NDArray[np.float32], affinity: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The picture at this scale, and the affinity from there."""
    height, width = grey.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = width / size[0], height / size[1]
    to_original = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])  # centres on centres
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA), affinity @ to_original


def _moved(affinity: NDArray[np.float64], windows: Windows) -> NDArray[np.float64]:
    """The affinity after which the windows' shifts are least; those that are off by more count less."""
    from_points = windows.places[windows.can_move]
    to_points = from_points + windows.shifts[windows.can_move]
    rows = np.column_stack((from_points, np.ones(len(from_points)))).astype(np.float64)
    weights: NDArray[np.float64] = np.ones((len(rows), 1))
    for _ in range(3):
        fitted = np.linalg.lstsq(rows * weights, to_points * weights, rcond=None)[0]
        off = np.linalg.norm(rows @ fitted - to_points, axis=1)
        usual = max(1.5 * float(np.median(off)), 0.05)
        weights = (1 / (1 + (off / usual) ** 2))[:, np.newaxis]
    return np.asarray(fitted.T @ np.vstack((affinity, [0, 0, 1])))


def _agreement(
    windows: Windows,
    affinity: NDArray[np.float64],
    source_shape: tuple[int, ...],
    target_shape: tuple[int, ...],
    inliers: int,
) -> Agreement:
    correlations = windows.correlations[windows.is_textured]
    is_blank = windows.variances[:, windows.is_textured].min(axis=0) < _BLANK
    is_differing = (correlations < 0.7) & ~is_blank
    is_inside = in_middle(windows.places)[windows.is_textured]
    linear = affinity[:, :2]
    largest, smallest = np.linalg.svd(linear, compute_uv=False)
    turn = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    overlap_in_source = windows.overlap_px / abs(np.linalg.det(linear))
    return Agreement(
        inliers=inliers,
        correlation=float(np.median(correlations)),
        matching=float(np.mean(correlations >= 0.5)),
        differing=float(np.mean(is_differing)),
        differing_inside=float(np.mean(is_differing[is_inside])) if is_inside.any() else 0.0,
        blank=float(np.mean((correlations < 0.7) & is_blank)),
        shift_px=_common_shift(windows),
        turn_deg=float(abs((turn + 45) % 90 - 45)),
        stretch=float(largest / smallest - 1),
        cover=(
            min(1.0, float(overlap_in_source / np.prod(source_shape))),
            float(windows.overlap_px / np.prod(target_shape)),
        ),
    )


_CELLS = 4
"""Along each side of the overlap."""


def _common_shift(windows: Windows) -> float:
    """The upper quartile, over the cells of a grid, of how far their windows are off together: noise moves
    each window another way, lens and parallax move neighbours the same way."""
    counted = windows.can_move & (windows.correlations > 0.8)
    if not counted.any():
        return np.inf
    places, shifts = windows.places[counted], windows.shifts[counted]
    lowest = places.min(axis=0)
    extent = np.maximum(places.max(axis=0) - lowest, 1) * 1.001
    columns, rows = np.floor((places - lowest) / extent * _CELLS).astype(int).T
    cells = rows * _CELLS + columns
    lengths = [
        float(np.linalg.norm(np.median(shifts[cells == cell], axis=0)))
        for cell in np.unique(cells)
        if np.count_nonzero(cells == cell) >= 3
    ]
    return float(np.quantile(lengths, 0.75)) if lengths else float(np.median(np.linalg.norm(shifts, axis=1)))
