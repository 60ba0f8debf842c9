from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway
from gateway.tiles import ratio_class, thumbnail_sources


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (640, 480, "ratio-135"),
        (3, 2, "ratio-150"),
        (1000, 1000, "ratio-100"),
        (100, 10_000, "ratio-55 whole"),
        (10_000, 100, "ratio-260 whole"),
        (0, 0, "ratio-55 whole"),
    ],
)
def test_a_photo_has_the_class_of_its_shape(width: int, height: int, name: str) -> None:
    assert ratio_class(width, height) == name


def test_every_class_of_shape_has_its_style() -> None:
    css = (Path(gateway.__file__).parent / "static" / "ratios.css").read_text("utf-8")
    styled = dict(re.findall(r"\.(ratio-\d+) \{ --ratio: ([\d.]+); \}", css))
    for width in range(1, 400):
        name = ratio_class(width, 100).removesuffix(" whole")
        assert float(styled[name]) == int(name.removeprefix("ratio-")) / 100


@pytest.mark.parametrize(
    ("width", "height", "widths"),
    [
        (4000, 3000, ["256", "512"]),
        (3000, 4000, ["192", "384"]),
        (320, 240, ["256", "320"]),
        (256, 200, []),
        (1, 100_000, ["1", "1"]),
    ],
)
def test_a_dense_screen_is_offered_a_larger_thumbnail_of_a_larger_photo(
    width: int, height: int, widths: list[str]
) -> None:
    assert re.findall(r" (\d+)w", thumbnail_sources("/thumbnails/1", width, height)) == widths
