from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import training.checkpoints
import training.loop
from tests.training.conftest import MACHINE, no_progress
from tests.training.drawn import draw_labels
from training.checkpoints import load_checkpoint
from training.errors import (
    CheckpointDamaged,
    CheckpointMismatch,
    DiskFull,
    TrainingDiverged,
    UnusablePictures,
)
from training.log import read_log
from training.pretrain import pretrain
from training.recipes import PretrainRecipe
from training.results import Pretrained
from training.schedule import Stage

RECIPE = PretrainRecipe(
    stages=(Stage(16, 2), Stage(24, 1)), photos_per_batch=8, peak_rate=1e-2, measurements=3, seed=5
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_labels(tmp_path_factory.mktemp("pictures"), {"reds": 12, "greens": 12, "blues": 12})


def run(pictures: Path, folder: Path, start: Path | None, recipe: PretrainRecipe = RECIPE) -> Pretrained:
    return pretrain([pictures], folder, recipe, MACHINE, start, no_progress)


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """As Ctrl-C would, between two steps; each step before leaves a checkpoint."""
    real, made = training.batches.batches, 0

    def some(*arguments: Any) -> Any:
        nonlocal made
        for batch in real(*arguments):
            if made == steps:
                raise KeyboardInterrupt
            made += 1
            yield batch

    monkeypatch.setattr(training.loop, "batches", some)
    monkeypatch.setattr(training.loop.Pace, "__init__", _saving_always(training.loop.Pace.__init__))


def _saving_always(init: Any) -> Any:
    def saving(self: Any, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **named, checkpoint_every_s=-1.0)

    return saving


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    pictures: Path, small_weights: Path, tmp_path: Path
) -> None:
    run(pictures, tmp_path / "whole", small_weights)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            run(pictures, tmp_path / "halved", small_weights)
    assert load_checkpoint(tmp_path / "halved" / "checkpoint.npz").state["step"] == 5
    run(pictures, tmp_path / "halved", small_weights)
    ends = [load_checkpoint(tmp_path / name / "checkpoint.npz") for name in ("whole", "halved")]
    for name, array in ends[0].arrays.items():
        np.testing.assert_allclose(ends[1].arrays[name], array, rtol=1e-5, atol=1e-6, err_msg=name)
    steps = [[row["step"] for row in read_log(tmp_path / name / "log.csv")] for name in ("whole", "halved")]
    assert steps[0] == steps[1]


def test_from_random_weights_the_loss_falls_and_a_file_a_card_and_a_curve_come_out(
    pictures: Path, tmp_path: Path
) -> None:
    done = run(pictures, tmp_path, None, replace(RECIPE, stages=(Stage(16, 3),), measurements=12))
    losses = [float(row["loss"]) for row in read_log(tmp_path / "log.csv")]
    assert losses[-1] < losses[0]
    assert done.sha256 in (tmp_path / "compact.md").read_text("utf-8")
    assert (tmp_path / "curve.svg").read_text("utf-8").lstrip().startswith("<?xml")


def test_going_on_with_other_pictures_is_refused_and_leaves_the_checkpoint(
    pictures: Path, small_weights: Path, tmp_path: Path
) -> None:
    run(pictures, tmp_path / "run", small_weights)
    before = (tmp_path / "run" / "checkpoint.npz").read_bytes()
    others = draw_labels(tmp_path / "others", {"reds": 8, "greens": 9})
    with pytest.raises(CheckpointMismatch, match="another --out"):
        run(others, tmp_path / "run", small_weights)
    assert (tmp_path / "run" / "checkpoint.npz").read_bytes() == before


def test_a_full_disk_at_a_checkpoint_keeps_the_one_before(
    pictures: Path, small_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(pictures, tmp_path, small_weights)
    before = (tmp_path / "checkpoint.npz").read_bytes()
    log = tmp_path / "log.csv"

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", no_room)
    with pytest.raises(DiskFull, match="last whole checkpoint is kept"):
        run(pictures, tmp_path, small_weights)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before
    assert read_log(log)
    assert list(tmp_path.glob(".*")) == []


def test_a_damaged_checkpoint_is_told(pictures: Path, small_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"PK not really")
    with pytest.raises(CheckpointDamaged, match="delete it"):
        run(pictures, tmp_path, small_weights)


def test_one_label_cannot_be_learnt(tmp_path: Path, small_weights: Path) -> None:
    pictures = draw_labels(tmp_path / "pictures", {"reds": 6})
    with pytest.raises(UnusablePictures, match="at least two labels"):
        run(pictures, tmp_path / "run", small_weights)


def test_a_loss_that_is_no_number_ends_the_run_with_advice(
    pictures: Path, small_weights: Path, tmp_path: Path
) -> None:
    wild = replace(RECIPE, peak_rate=1e30)
    with pytest.raises(TrainingDiverged, match="half the --rate"):
        run(pictures, tmp_path, small_weights, wild)


def test_each_sets_held_out_pictures_are_measured_by_themselves(small_weights: Path, tmp_path: Path) -> None:
    blue = draw_labels(tmp_path / "blue", {"blues": 12})
    other = draw_labels(tmp_path / "other", {"reds": 12, "greens": 12})
    draw_labels(other / "val", {"reds": 20, "greens": 20})
    learnt = replace(RECIPE, stages=(Stage(64, 25),), average_decay=0.9)
    done = pretrain([blue, other], tmp_path / "run", learnt, MACHINE, small_weights, no_progress)
    assert set(done.top1_by_set) == {"blue", "other"}
    assert done.top1_by_set["other"] > 0.8
    card = (tmp_path / "run" / "compact.md").read_text("utf-8")
    assert f"all held-out of other, after the last step | {done.top1_by_set['other']:.3f} |" in card
