"""How alike a result is to the query, in one word that means the same whatever the model.

Distances of two models cannot be compared; how rare a distance is in the collection can. So the words follow
from the bytes, from the geometry and from the calibrated score, in this order.
"""

from __future__ import annotations

from enum import StrEnum

SAME_INLIERS = 8
"""Local features that agree, for the word `same`. A match is drawn from 6 on, of which chance makes some."""

ALIKE_SHARE = 0.999
RELATED_SHARE = 0.99
"""Share of random pairs of the collection that lie further apart."""

SAME_PIXELS_DISTANCE = 1e-3
"""Descriptors of the same pixels differ by the rounding to half precision alone."""


class Likeness(StrEnum):
    """From the most alike to the least."""

    IDENTICAL = "identical"
    """The same bytes, or the same pixels in other bytes."""
    SAME = "same"
    """The same object or place: local features agree on where it is."""
    ALIKE = "alike"
    """Nearer than 99.9 % of random pairs of the collection."""
    RELATED = "related"
    """Nearer than 99 % of them."""
    WEAK = "weak"


def same_pixels(distance: float, size: tuple[int, int], other_size: tuple[int, int]) -> bool:
    """Whether two pictures at this distance have the same pixels. Sizes: width and height."""
    return size == other_size and distance <= SAME_PIXELS_DISTANCE


def likeness(identical: bool, inliers: int, score: float | None, pairs: int) -> Likeness:
    """identical: by bytes or pixels. inliers: of the match, 0 without one. score: by `calibration.score`
    from so many pairs.

    Of few pairs even the nearest is no rare one: being nearer than all P of them says that P of P + 1 pairs
    lie further apart, so that `alike` takes 999 pairs (46 images) and `related` 99 (15 images).
    """
    if identical:
        return Likeness.IDENTICAL
    if inliers >= SAME_INLIERS:
        return Likeness.SAME
    share = 0.0 if score is None else score * pairs / (pairs + 1)
    if share >= ALIKE_SHARE:
        return Likeness.ALIKE
    return Likeness.RELATED if share >= RELATED_SHARE else Likeness.WEAK
