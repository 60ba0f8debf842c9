from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.expansions import EXPANSIONS, expansion_map
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.retrieval import GroundTruth
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_many


@pytest.mark.parametrize("name", EXPANSIONS)
def test_without_neighbours_it_is_the_plain_ranking_and_with_them_another(tmp_path: Path, name: str) -> None:
    workplace = Workplace(tmp_path / "images", tmp_path / "store")
    workplace.images.mkdir()
    draw_many(workplace.images, range(12))
    workplace.build()
    rows = {path: row.astype(np.float32) for path, row in workplace.indexed().items()}
    names = tuple(sorted(rows))

    def nearest(query: str) -> list[str]:
        return sorted(names, key=lambda other: -float(rows[query] @ rows[other]))

    relevant = {query: frozenset({nearest(query)[1]}) for query in names}
    photos = PhotoSet("own", workplace.images, GroundTruth(names, relevant))
    assert expansion_map(workplace.layout, photos, EXPANSIONS[name], 0) == pytest.approx(1)
    assert expansion_map(workplace.layout, photos, EXPANSIONS[name], 10) < 1
