from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones.making.weight_files import read_weights
from tests.training.conftest import LIMITS, no_progress
from tests.training.drawn import draw_labels
from training import run
from training.batches import Batches
from training.errors import CheckpointDamaged, CheckpointMismatch, TrainingDiverged
from training.network import Trainable
from training.pictures import read_photos
from training.recipes import FinetuneRecipe

# An interrupted fit leaves Keras' log to the end of the process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
RECIPE = FinetuneRecipe(frozen_blocks=2, epochs=30, peak_rate=1e-3)


class Stopped(Exception):
    pass


def trained(
    images: Path, start: Path, folder: Path, recipe: FinetuneRecipe = RECIPE, stop_at: int = 0
) -> NDArray[np.float32]:
    """A kernel at the end. stop_at: the step that the run is interrupted at."""
    folder.mkdir(exist_ok=True)
    photos = read_photos(images, folder / "photos.rgb", 64, LIMITS, no_progress)
    batches = Batches(photos, np.arange(len(photos.labels)), recipe)
    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        if stop_at and done >= stop_at:
            raise Stopped

    network = Trainable(*read_weights(start), recipe, 2)
    run.train(network.learning, batches, recipe, folder, f"{recipe}", advance)
    return network.to_weights()["head/kernel"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return draw_labels(tmp_path / "images", {"reds": 6, "greens": 6})


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(
    images: Path, small_weights: Path, tmp_path: Path
) -> None:
    whole = trained(images, small_weights, tmp_path / "whole")
    with pytest.raises(Stopped):
        trained(images, small_weights, tmp_path / "halved", stop_at=33)
    halved = trained(images, small_weights, tmp_path / "halved")
    np.testing.assert_allclose(halved, whole, atol=1e-6)
    logs = [(tmp_path / name / "log.csv").read_text("ascii").splitlines() for name in ("whole", "halved")]
    assert [line.split(",")[0] for line in logs[1]] == [line.split(",")[0] for line in logs[0]]


def test_a_folder_with_another_run_is_left_alone(images: Path, small_weights: Path, tmp_path: Path) -> None:
    trained(images, small_weights, tmp_path / "run")
    kept = (tmp_path / "run" / "checkpoint" / "latest.weights.h5").read_bytes()
    with pytest.raises(CheckpointMismatch, match="another --out"):
        trained(images, small_weights, tmp_path / "run", replace(RECIPE, seed=1))
    assert (tmp_path / "run" / "checkpoint" / "latest.weights.h5").read_bytes() == kept


def test_a_checkpoint_that_cannot_be_read_is_told(images: Path, small_weights: Path, tmp_path: Path) -> None:
    trained(images, small_weights, tmp_path / "run", replace(RECIPE, epochs=1))
    for path in (tmp_path / "run" / "checkpoint").glob("*.h5*"):
        path.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointDamaged, match="delete it"):
        trained(images, small_weights, tmp_path / "run", replace(RECIPE, epochs=1))


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_no_checkpoint_of_it(
    images: Path, small_weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingDiverged, match="half the --rate"):
        trained(
            images, small_weights, tmp_path / "run", replace(RECIPE, loss="classification", peak_rate=np.inf)
        )
    assert not (tmp_path / "run" / "checkpoint").exists()
