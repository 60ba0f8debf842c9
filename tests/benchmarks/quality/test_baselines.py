from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import baselines
from benchmarks.quality.baselines import hsv_histogram, hsv_rankings, random_network
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.retrieval import GroundTruth
from imagesearch.backbones.making.efficientnet_layout import EFFICIENTNET_LITE0_LAYOUT
from tests.indexer.pictures import draw


def test_a_histogram_has_length_one_and_knows_no_places() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    histogram = hsv_histogram(rgb)
    assert histogram.shape == (128,)
    assert np.linalg.norm(histogram) == pytest.approx(1)
    assert np.array_equal(histogram, hsv_histogram(rgb[::-1, ::-1]))


def test_pictures_are_ranked_by_their_colours(tmp_path: Path) -> None:
    for name, seed in (("a.png", 1), ("b.png", 2), ("a-too.png", 1)):
        draw(tmp_path / name, seed)
    truth = GroundTruth(("a.png", "b.png", "a-too.png"), {"a.png": frozenset({"a-too.png"})})
    assert hsv_rankings(PhotoSet("own", tmp_path, truth)) == {"a.png": ["a.png", "a-too.png", "b.png"]}


def test_random_weights_differ_from_draw_to_draw_and_stay_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baselines, "STORES_DIR", tmp_path)
    first, second = (np.load(random_network(draw)) for draw in (0, 1))
    shapes = {name: first[name].shape for name in first.files}
    assert shapes == EFFICIENTNET_LITE0_LAYOUT.weight_shapes()
    assert not np.array_equal(first["head/kernel"], second["head/kernel"])
    assert not first["head/bias"].any()
    assert np.array_equal(np.load(random_network(0))["head/kernel"], first["head/kernel"])
