"""Spatial verification: which candidates show the query's object from another viewpoint.

Philbin et al., "Object retrieval with large vocabularies and fast spatial matching", CVPR 2007, section 5.

1. Tentative matches: features that are each other's nearest, and near.
2. Each match, by the place, size and turn of its two features, proposes a similarity; the one
   that most matches agree with wins. All M of them are tried, so M² residuals find what a RANSAC over triples
   misses when ten of a hundred matches are right.
3. OpenCV's USAC fits an affinity to the agreeing matches. Its inliers are counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from imagesearch.local_features.features import ORIENTATION_STEPS, LocalFeatures
from imagesearch.local_features.rootsift import QUERY_FEATURES, VERIFIED_FEATURES

MIN_COSINE = 0.7
"""Least similarity of two matched RootSIFT vectors; at 0.6 the Holidays photos rank no better."""

MAX_MATCHES = 256
"""The nearest are kept: bounds step 2 to 65,536 residuals."""

TOLERANCE_PX = 6.0
"""A correct match may be off by this much in the candidate; by twice as much from a proposal, which rests on
one feature's size and turn."""

MAX_SCALE_CHANGE = 5.0
"""A proposal that shrinks or grows the object more than this is chance."""

MAX_TURN_OFF = np.pi / 6
MAX_LOG2_SCALE_OFF = 1.0
"""A match agrees with a proposal only if its own turn and change of size do, roughly: weak geometric
consistency (Jégou, Douze & Schmid, ECCV 2008, section 4)."""

MIN_INLIERS = 6
"""Fewer are chance. Of the 40 nearest by a smaller network, over 300 queries on Holidays, 314 of 346 right
hits have as many, and 98 of 11,654 wrong ones. A bound of 4 ranks alike (mAP 0.666, not 0.667) but outlines
3,272 wrong ones; one of 8 costs mAP (0.648)."""

_USAC_MAX_ITERATIONS = 200
_USAC_CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True)
class SpatialMatch:
    """Where the query was found in a candidate. Points are fractions of the width and height, x before y."""

    query_points: NDArray[np.float32]
    """shape=(inliers, 2)"""
    candidate_points: NDArray[np.float32]
    """shape=(inliers, 2): row i matches row i of `query_points`."""
    quadrilateral: NDArray[np.float32]
    """shape=(4, 2): the query's outline in the candidate, clockwise from the query's top left corner; may
    reach outside [0, 1] where the candidate shows less than the query."""
    photo: int = 0
    """Which of several query photos was found, by its place."""

    @property
    def inliers(self) -> int:
        return len(self.query_points)


def verify(query: LocalFeatures, candidate: LocalFeatures) -> SpatialMatch | None:
    """None where no affinity explains at least `MIN_INLIERS` matches."""
    query, candidate = query.first(QUERY_FEATURES), candidate.first(VERIFIED_FEATURES)
    pairs = tentative_matches(query.root_sift, candidate.root_sift)
    pairs = pairs[agreeing(_similarities(query, candidate, pairs), *_places(query, candidate, pairs))]
    if len(pairs) < MIN_INLIERS:
        return None
    from_points, to_points = _places(query, candidate, pairs)
    affinity, mask = cv2.estimateAffine2D(
        from_points,
        to_points,
        method=cv2.USAC_ACCURATE,
        ransacReprojThreshold=TOLERANCE_PX,
        maxIters=_USAC_MAX_ITERATIONS,
        confidence=_USAC_CONFIDENCE,
    )
    if affinity is None or not _plausible(affinity):
        return None
    inliers = mask.ravel().astype(bool)
    if np.count_nonzero(inliers) < MIN_INLIERS:
        return None
    return _located(query, candidate, from_points[inliers], to_points[inliers], affinity)


def verify_mirrored(mirror_image: LocalFeatures, candidate: LocalFeatures) -> SpatialMatch | None:
    """The same for a query's mirror image, told as of the query itself, whose outline then runs
    counter-clockwise."""
    match = verify(mirror_image, candidate)
    if match is None:
        return None
    points = match.query_points * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32)
    return replace(match, query_points=points, quadrilateral=match.quadrilateral[[1, 0, 3, 2]])


def tentative_matches(query: NDArray[np.float32], candidate: NDArray[np.float32]) -> NDArray[np.int64]:
    """Mutual nearest neighbours of cosine >= MIN_COSINE, nearest first, at most MAX_MATCHES.

    query: shape=(N, D), candidate: shape=(M, D), rows L2-normalised. Returns rows (query row, candidate row).
    """
    if not len(query) or not len(candidate):
        return np.empty((0, 2), np.int64)
    cosines = query @ candidate.T
    nearest = cosines.argmax(axis=1)
    best = cosines[np.arange(len(query)), nearest]
    # The largest of a column is quick to find, its place is not, and is not needed.
    matched = np.flatnonzero((best >= MIN_COSINE) & (best >= cosines.max(axis=0)[nearest]))
    order = np.argsort(-best[matched], kind="stable")[:MAX_MATCHES]
    return np.column_stack((matched[order], nearest[matched[order]])).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Similarities:
    """The change of size and turn that each of M matches proposes."""

    scales: NDArray[np.float32]
    """shape=(M,): size in the candidate over size in the query."""
    turns: NDArray[np.float32]
    """shape=(M,), radians."""


def agreeing(
    proposed: Similarities, from_points: NDArray[np.float32], to_points: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """The matches that agree with the proposal most of them agree with; the first such one on a tie.

    from_points, to_points: shape=(M, 2), pixels. Returns shape=(M,).
    """
    if not len(from_points):
        return np.zeros(0, np.bool_)
    # The plane as complex numbers: proposal i maps z to after[i] + scale[i] turn[i] (z - before[i]).
    turns = np.exp(1j * proposed.turns)
    before = from_points[:, 0] + 1j * from_points[:, 1]
    after = to_points[:, 0] + 1j * to_points[:, 1]
    own = proposed.scales * turns
    offsets = after - own * before
    off = own[:, None] * before + offsets[:, None] - after
    tolerance = 2 * TOLERANCE_PX * np.maximum(1, proposed.scales)[:, None]
    near = off.real**2 + off.imag**2 <= tolerance**2
    sizes = np.log2(proposed.scales)
    near &= np.abs(sizes[:, None] - sizes) <= MAX_LOG2_SCALE_OFF
    near &= np.outer(turns.real, turns.real) + np.outer(turns.imag, turns.imag) >= np.cos(MAX_TURN_OFF)
    near &= (np.abs(sizes) <= np.log2(MAX_SCALE_CHANGE))[:, None]
    return np.asarray(near[near.sum(axis=1).argmax()])


def _similarities(query: LocalFeatures, candidate: LocalFeatures, pairs: NDArray[np.int64]) -> Similarities:
    i, j = pairs.T
    steps = candidate.orientations[j].astype(np.float32) - query.orientations[i].astype(np.float32)
    return Similarities(
        scales=candidate.scales[j].astype(np.float32) / query.scales[i].astype(np.float32),
        turns=steps * np.float32(2 * np.pi / ORIENTATION_STEPS),
    )


def _places(
    query: LocalFeatures, candidate: LocalFeatures, pairs: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    i, j = pairs.T
    return query.positions_px[i], candidate.positions_px[j]


def _plausible(affinity: NDArray[np.float64]) -> bool:
    """Neither collapsed to a line nor blown up, along any direction."""
    stretch = np.linalg.svd(affinity[:, :2], compute_uv=False)
    return bool(stretch[0] <= MAX_SCALE_CHANGE and stretch[1] >= 1 / MAX_SCALE_CHANGE)


def _located(
    query: LocalFeatures,
    candidate: LocalFeatures,
    from_points: NDArray[np.float32],
    to_points: NDArray[np.float32],
    affinity: NDArray[np.float64],
) -> SpatialMatch:
    query_size = np.array([query.width_px, query.height_px], np.float32)
    candidate_size = np.array([candidate.width_px, candidate.height_px], np.float32)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * query_size
    outline = corners @ affinity[:, :2].T + affinity[:, 2]
    return SpatialMatch(
        query_points=from_points / query_size,
        candidate_points=to_points / candidate_size,
        quadrilateral=(outline / candidate_size).astype(np.float32),
    )
