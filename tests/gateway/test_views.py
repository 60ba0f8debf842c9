from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway
from gateway.views import percent, ratio_class


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
    ("score", "text"),
    [(0.998, "99.8"), (0.9989, "99.8"), (0.99999, "99.9"), (0.0, "0.0"), (0.5, "50.0"), (0.29, "29.0")],
)
def test_a_share_is_never_rounded_up(score: float, text: str) -> None:
    assert percent(score) == text
