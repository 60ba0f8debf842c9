from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.backbones.base import Precision
from imagesearch.backbones.making.weight_files import read_weights
from tests.training.conftest import LIMITS, no_progress
from tests.training.drawn import draw_labels
from training.errors import UnusablePictures
from training.finetune import finetune
from training.recipes import Finetuned, FinetuneRecipe

RECIPE = FinetuneRecipe(frozen_blocks=0, epochs=3, peak_rate=3e-3, held_out_share=0.4)


def run(images: Path, start: Path, out: Path, recipe: FinetuneRecipe = RECIPE) -> Finetuned:
    return finetune(images, start, out, recipe, Precision.F32, LIMITS, no_progress)


def test_labels_that_differ_are_told_apart_better_and_the_file_is_the_networks_own(
    small_weights: Path, tmp_path: Path
) -> None:
    images = draw_labels(tmp_path / "images", {"reds": 20, "greens": 20, "blues": 20})
    recipe = replace(RECIPE, epochs=20, loss="triplet")
    done = run(images, small_weights, tmp_path / "run", recipe)
    assert done.model and done.sha256 and done.comparison.after > done.comparison.before
    assert read_weights(Path(done.model))[0] == read_weights(small_weights)[0]
    assert done.sha256 in Path(done.model).with_suffix(".md").read_text("utf-8")


def test_where_nothing_got_better_no_model_is_written(small_weights: Path, tmp_path: Path) -> None:
    images = draw_labels(tmp_path / "images", {"reds": 12, "greens": 12})
    done = run(images, small_weights, tmp_path / "run", replace(RECIPE, peak_rate=0.0))
    assert done.model is None
    assert done.comparison.before == pytest.approx(done.comparison.after, abs=1e-3)
    assert not list((tmp_path / "run").glob("model.*"))


def test_photos_that_cannot_be_read_and_labels_too_small_are_named_and_left_out(
    small_weights: Path, tmp_path: Path
) -> None:
    images = draw_labels(tmp_path / "images", {"reds": 9, "greens": 8, "blues": 1})
    (images / "reds" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    done = run(images, small_weights, tmp_path / "run", replace(RECIPE, epochs=1))
    assert done.unreadable == ["reds/0.png"]
    assert done.left_out == {"blues": 1}
    assert set(done.photos_per_label) == {"reds", "greens"}


def test_a_label_a_thousand_times_rarer_is_learnt_and_measured(small_weights: Path, tmp_path: Path) -> None:
    images = draw_labels(tmp_path / "images", {"reds": 4000, "blues": 4}, size_px=16)
    done = run(images, small_weights, tmp_path / "run", replace(RECIPE, epochs=0.02))
    assert done.photos_per_label["blues"] == 2
    assert np.isfinite(done.comparison.before)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"reds": 12}, "has 1 such folders of 1, with 12 photos"),
        ({"reds": 2, "greens": 1}, "has 0 such folders of 2, with 3 photos"),
        ({"reds": 12, "greens": 1}, "has 1 such folders of 2, with 13 photos"),
    ],
    ids=["one label", "three photos in all", "a label with one photo"],
)
def test_too_little_to_learn_from_is_told(
    counts: dict[str, int], message: str, small_weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnusablePictures, match=message):
        run(draw_labels(tmp_path / "images", counts), small_weights, tmp_path / "run")


def test_a_missing_folder_is_told(small_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusablePictures, match="There is no folder"):
        run(tmp_path / "nothing", small_weights, tmp_path / "run")
