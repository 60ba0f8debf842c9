from __future__ import annotations

from imagesearch.index.building.training import TRAININGS
from imagesearch.index.kinds import KINDS


def test_every_kind_that_can_be_opened_can_be_built() -> None:
    assert list(TRAININGS) == list(KINDS)
