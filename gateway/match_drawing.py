"""Where things lie when a query and a result are drawn in one picture, their matched points joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.schemas import Point, PointPair

SIDE = 480.0
"""Height of photos beside each other, width of photos below each other, in units of the drawing."""
GAP = 16.0
# Photos whose ratios of width to height add up to less stay beside each other on narrow screens, too.
NARROW_RATIOS = 1.7
MAX_LINES = 50
"""More would hide the photos."""


@dataclass(frozen=True, slots=True)
class Place:
    """A photo's rectangle in the drawing."""

    x: float
    y: float
    width: float
    height: float

    def at(self, point: Point) -> str:
        """A point of the photo, as a path has it."""
        return f"{self.x + point.x * self.width:.1f} {self.y + point.y * self.height:.1f}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """Both photos in one picture of this size."""

    name: str
    width: float
    height: float
    query: Place
    result: Place

    def lines(self, pairs: Sequence[PointPair]) -> str:
        """From the query's points to the result's, as an SVG path; of many only a sample, evenly taken."""
        shown = pairs[:: -(-len(pairs) // MAX_LINES) or 1]
        return "".join(f"M{self.query.at(pair.query)}L{self.result.at(pair.result)}" for pair in shown)

    def dots(self, pairs: Sequence[PointPair]) -> str:
        """Every point, as lines of no length, which round caps make dots."""
        return "".join(f"M{self.query.at(pair.query)}h0M{self.result.at(pair.result)}h0" for pair in pairs)


def drawings(query_ratio: float, result_ratio: float) -> Sequence[Drawing]:
    """One for wide screens, and another for narrow ones where the first would be too small there.

    The ratios are width by height.
    """
    wide = _beside(query_ratio, result_ratio)
    if query_ratio + result_ratio < NARROW_RATIOS:
        return (wide,)
    return (wide, _below(query_ratio, result_ratio))


def _beside(query_ratio: float, result_ratio: float) -> Drawing:
    query = Place(0, 0, round(SIDE * query_ratio, 1), SIDE)
    result = Place(query.width + GAP, 0, round(SIDE * result_ratio, 1), SIDE)
    return Drawing("beside", result.x + result.width, SIDE, query, result)


def _below(query_ratio: float, result_ratio: float) -> Drawing:
    query = Place(0, 0, SIDE, round(SIDE / query_ratio, 1))
    result = Place(0, query.height + GAP, SIDE, round(SIDE / result_ratio, 1))
    return Drawing("below", SIDE, result.y + result.height, query, result)
