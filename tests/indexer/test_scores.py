"""Scores are calibrated: those of random pairs of photos are spread evenly over 0 to 1."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality.measures import distance_to_uniform
from extractor_service.search.queries import SearchOptions, StoredQuery
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import ExtractorSettings
from tests.fakes import FAKE_KINDS
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_texture

PHOTOS = 16
WORDS = {"bof": 200, "vlad": 8, "temb": 4}


def scores_of_all_pairs(workplace: Workplace) -> NDArray[np.float64]:
    """As the engine answers them, both ways round."""

    async def searched() -> list[float | None]:
        settings = ExtractorSettings(store_dir=workplace.store, decode_workers=1)
        core = SearchCore(settings, workplace.networks.load)
        try:
            await core.live.refresh()
            with core.live.use() as served:
                images = served.snapshot.page("", PHOTOS)
            answers = [
                await core.engine.search(StoredQuery(image.image_id), SearchOptions(limit=PHOTOS))
                for image in images
            ]
            return [hit.score for answer in answers for hit in answer.hits]
        finally:
            core.close()

    return np.array(asyncio.run(searched()), np.float64)


@pytest.mark.parametrize("kind", FAKE_KINDS)
def test_scores_of_random_pairs_are_uniform(workplace: Workplace, kind: str) -> None:
    for seed in range(PHOTOS):
        draw_texture(workplace.images / f"{seed:02d}.png", seed)
    workplace.build(descriptor=kind, words=WORDS.get(kind, 0))
    scores = scores_of_all_pairs(workplace)
    assert len(scores) == PHOTOS * (PHOTOS - 1)
    assert distance_to_uniform(scores) < 0.03
