from __future__ import annotations

import pytest

from gateway.views import percent


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.998, "99.8"), (0.9989, "99.8"), (0.99999, "99.9"), (0.0, "0.0"), (0.5, "50.0"), (0.29, "29.0")],
)
def test_a_share_is_never_rounded_up(score: float, text: str) -> None:
    assert percent(score) == text
