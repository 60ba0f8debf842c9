"""Whether two pictures are one, altered, or two shots of the same."""

from __future__ import annotations

from enum import StrEnum

from imagesearch.ranking.alignment import Agreement


class Kinship(StrEnum):
    """From the closest to the most distant."""

    IDENTICAL = "identical"
    """The same bytes, or the same pixels in other bytes."""
    ALTERED = "altered"
    """One picture: compressed, scaled, cut, mirrored, turned, toned, with a border or a caption."""
    SIMILAR = "similar"
    """Another shot of the same, such as the next of a burst."""


COPY_CORRELATION = 0.9
"""A copy's median: saved as JPEG at quality 10, or blurred by 0.6 % of its long side, it has 0.94."""
COPY_DIFFERING = 0.3
COPY_DIFFERING_INSIDE = 0.06
COPY_BLANK = 0.5
"""Shares of a copy that may show something else: what was written on it, the border around it."""
COPY_SHIFT_PX = 0.2
ASKEW_SHIFT_PX = 0.08
"""How far parts of a copy may be off. Of Holidays' shots of one scene, those that lie straight on one another
are off by 0.4 pixels or more; some that are a little askew, as people hold cameras, by 0.09."""
ASKEW_DEG = (0.1, 8.0)
COPY_STRETCH = 0.01
"""A copy that is turned is not stretched but for the rounding of its sides; a camera that has moved stretches
what it sees."""
COPY_INLIERS = 8

SHOT_INLIERS = 15
SHOT_MATCHING = 0.35
SHOT_COVER = 0.4
"""Of another shot: share of the overlap that resembles the other, and of each picture that is overlapped."""


def kinship(found: Agreement | None) -> Kinship | None:
    """found: of the two. None where they have nothing to do with one another."""
    if found is None:
        return None
    if _is_copy(found):
        return Kinship.ALTERED
    is_shot = found.inliers >= SHOT_INLIERS and found.matching >= SHOT_MATCHING
    return Kinship.SIMILAR if is_shot and min(found.cover) >= SHOT_COVER else None


def _is_copy(found: Agreement) -> bool:
    is_askew = ASKEW_DEG[0] < found.turn_deg < ASKEW_DEG[1]
    is_turned = found.turn_deg > ASKEW_DEG[0]
    return (
        found.inliers >= COPY_INLIERS
        and found.correlation >= COPY_CORRELATION
        and found.differing <= COPY_DIFFERING
        and found.differing_inside <= COPY_DIFFERING_INSIDE
        and found.blank <= COPY_BLANK
        and found.shift_px <= (ASKEW_SHIFT_PX if is_askew else COPY_SHIFT_PX)
        and (found.stretch <= COPY_STRETCH or not is_turned)
    )
