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

LONG_SIDE_PX = 256
"""Of the pictures that are compared: thumbnails have as many."""
_FEATURES = RootSift(long_side_px=LONG_SIDE_PX, max_features=400)

_WINDOW_PX = 17
_STEP_PX = 8
"""Windows overlap by half, so that one that straddles an edge has a neighbour that does not."""
_SOFTENING_PX = 1.0
"""Of the blur before anything is compared: compression and scaling differ in what is finer."""
_ROUNDS = 4
"""Of laying on again by what the windows say they are off."""
_TEXTURED = 16.0
"""Least variance of grey values in a window that can be laid on."""
_BLANK = 2.0
"""Most of one that shows nothing: a border, a bar, the corner beside a turned picture."""
_LEAST_WINDOWS = 6
_TONES = 32
"""Steps of grey that are toned each by itself."""


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
        windows = _windows(*_laid_on(source, target, affinity), target)
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


@dataclass(frozen=True, slots=True)
class _Windows:
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


def _laid_on(
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


def _windows(
    laid_on: NDArray[np.float32], mask: NDArray[np.float32], target: NDArray[np.float32]
) -> _Windows:
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
    return _Windows(
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


def _moved(affinity: NDArray[np.float64], windows: _Windows) -> NDArray[np.float64]:
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
    windows: _Windows,
    affinity: NDArray[np.float64],
    source_shape: tuple[int, ...],
    target_shape: tuple[int, ...],
    inliers: int,
) -> Agreement:
    correlations = windows.correlations[windows.is_textured]
    is_blank = windows.variances[:, windows.is_textured].min(axis=0) < _BLANK
    is_differing = (correlations < 0.7) & ~is_blank
    is_inside = _in_middle(windows.places)[windows.is_textured]
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


def _in_middle(places: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each lies in the middle half of their extent, along both axes."""
    lowest, highest = places.min(axis=0), places.max(axis=0)
    off = np.abs(places - (lowest + highest) / 2)
    return np.asarray((off <= (highest - lowest) / 4).all(axis=1))


_CELLS = 4
"""Along each side of the overlap."""


def _common_shift(windows: _Windows) -> float:
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
