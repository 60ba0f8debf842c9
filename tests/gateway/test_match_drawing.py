from __future__ import annotations

import re

from gateway.match_drawing import Drawing, drawings
from gateway.schemas import Point, PointPair

MIDDLE_TO_CORNER = PointPair(query=Point(x=0.5, y=0.5), result=Point(x=1, y=1))


def numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"[\d.]+", path)]


def holds_both(drawing: Drawing) -> bool:
    places = (drawing.query, drawing.result)
    inside = all(
        place.x >= 0 and place.x + place.width <= drawing.width and place.y + place.height <= drawing.height
        for place in places
    )
    apart = (
        drawing.query.x + drawing.query.width <= drawing.result.x
        or drawing.query.y + drawing.query.height <= drawing.result.y
    )
    return inside and apart


def test_photos_keep_their_proportions_and_do_not_overlap() -> None:
    for drawing in drawings(1.5, 0.8):
        assert holds_both(drawing)
        assert abs(drawing.query.width / drawing.query.height - 1.5) < 0.01
        assert abs(drawing.result.width / drawing.result.height - 0.8) < 0.01


def test_two_upright_photos_stay_beside_each_other_on_narrow_screens_too() -> None:
    assert [drawing.name for drawing in drawings(0.75, 0.75)] == ["beside"]
    assert [drawing.name for drawing in drawings(1.5, 0.75)] == ["beside", "below"]


def test_a_line_joins_the_same_point_of_both_photos() -> None:
    beside, below = drawings(1.0, 1.5)
    assert numbers(beside.lines([MIDDLE_TO_CORNER])) == [240, 240, beside.width, 480]
    assert numbers(below.lines([MIDDLE_TO_CORNER])) == [240, 240, 480, below.height]
    assert beside.dots([MIDDLE_TO_CORNER]) == f"M240.0 240.0h0M{beside.width} 480.0h0"


def test_of_many_points_all_are_dots_and_some_are_joined() -> None:
    drawing = drawings(1.0, 1.5)[0]
    for count, lines in ((0, 0), (1, 1), (50, 50), (51, 26), (256, 43)):
        pairs = [MIDDLE_TO_CORNER] * count
        assert drawing.lines(pairs).count("L") == lines
        assert drawing.dots(pairs).count("h0") == 2 * count
