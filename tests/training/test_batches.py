from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from imagesearch.errors import InvalidImage
from imagesearch.pictures.decode import ImageLimits
from tests.training.drawn import draw_labels
from training.batches import BatchPlan, batches
from training.errors import UnusablePictures
from training.pictures import find_pictures, split
from training.views import Augmentation


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_labels(tmp_path_factory.mktemp("pictures"), {"reds": 9, "greens": 3, "blues": 5})


def plan(folder: Path, **changes: int) -> BatchPlan:
    given = {"count": 4, "views": 2, "size_px": 16, "seed": 3} | changes
    return BatchPlan(
        find_pictures([folder]), augmentation=Augmentation(), limits=ImageLimits(10**7, 10**7), **given
    )


def test_a_zip_file_holds_the_same_pictures_as_its_folder(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / f"{folder.name}.zip"
    with ZipFile(archive, "w") as file:
        for path in folder.rglob("*.png"):
            file.write(path, path.relative_to(folder))
    np.testing.assert_array_equal(plan(archive).make(5).pixels, plan(folder).make(5).pixels)


def test_batches_do_not_depend_on_how_many_processes_make_them(folder: Path) -> None:
    here = plan(folder)
    sizes = {step: 16 if step < 4 else 24 for step in range(2, 7)}
    for batch, (step, size_px) in zip(batches(here, sizes, workers=2), sizes.items(), strict=True):
        assert batch.step == step
        np.testing.assert_array_equal(batch.pixels, here.at(size_px).make(step).pixels)


def test_an_epoch_shows_each_picture_once(folder: Path) -> None:
    here = plan(folder, count=5, views=1)
    rows = [row for step in range(3) for row in here._rows_in_turn(step)]
    assert len(set(rows)) == len(rows) == 15


def test_views_of_a_photo_stand_side_by_side_and_differ(folder: Path) -> None:
    batch = plan(folder).make(0)
    assert batch.photos.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (batch.labels[::2] == batch.labels[1::2]).all()
    assert not np.array_equal(batch.pixels[0], batch.pixels[1])


def test_by_label_a_rare_label_comes_as_often_as_a_common_one(folder: Path) -> None:
    here = plan(folder, count=12, views=1, per_label=4)
    for step in range(5):
        assert np.bincount(here.make(step).labels).tolist() == [4, 4, 4]


def test_a_damaged_picture_is_stood_in_for_by_one_of_its_label(tmp_path: Path) -> None:
    folder = draw_labels(tmp_path / "pictures", {"reds": 2, "greens": 2})
    (folder / "reds" / "0.png").write_bytes(b"no picture")
    batch = plan(folder, views=1).make(0)
    assert sorted(batch.labels.tolist()) == [0, 0, 1, 1]
    assert set(batch.unreadable) == {"reds/0.png"}


def test_nothing_but_damaged_pictures_is_told(tmp_path: Path) -> None:
    (tmp_path / "reds").mkdir()
    for number in range(4):
        (tmp_path / "reds" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(InvalidImage, match="in a row cannot be decoded"):
        plan(tmp_path).make(0)


def test_what_is_measured_is_not_learnt_from(folder: Path) -> None:
    learnt, held_out = split(find_pictures([folder]), 0.3, seed=1)
    assert not set(learnt.pictures) & set(held_out.pictures)
    assert len(learnt) + len(held_out) == 17
    assert np.bincount(held_out.labels).tolist() == [2, 1, 3]


def test_a_sets_own_validation_folder_is_held_out(tmp_path: Path) -> None:
    for part in ("train", "val"):
        draw_labels(tmp_path / part, {"reds": 3})
    learnt, held_out = split(find_pictures([tmp_path]), 0.5, seed=0)
    assert {picture.path.split("/")[0] for picture in learnt.pictures} == {"train"}
    assert {picture.path.split("/")[0] for picture in held_out.pictures} == {"val"}


def test_a_file_that_is_no_zip_is_told(tmp_path: Path) -> None:
    (tmp_path / "pictures.zip").write_bytes(b"no zip")
    with pytest.raises(UnusablePictures, match="neither a folder nor a readable zip"):
        find_pictures([tmp_path / "pictures.zip"])
