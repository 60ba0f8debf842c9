from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.training.conftest import LIMITS, no_progress
from tests.training.drawn import draw_labels
from training.pictures import LabelledPhotos, read_photos, split


def photos_of(folder: Path, tmp_path: Path) -> LabelledPhotos:
    return read_photos(folder, tmp_path / "photos.rgb", 48, LIMITS, no_progress)


def counts(photos: LabelledPhotos, rows: NDArray[np.intp]) -> list[int]:
    return [int((photos.labels[rows] == label).sum()) for label in range(len(photos.names))]


def test_photos_are_read_as_they_are_and_damaged_ones_named(tmp_path: Path) -> None:
    folder = draw_labels(tmp_path / "images", {"reds": 5, "greens": 4})
    (folder / "greens" / "broken.png").write_bytes(b"no picture")
    photos = photos_of(folder, tmp_path)
    assert photos.unreadable == ("greens/broken.png",)
    assert photos.per_label() == {"greens": 4, "reds": 5}
    first = np.asarray(Image.open(folder / photos.paths[0]).convert("RGB"))
    np.testing.assert_array_equal(photos.pixels[0], first)


def test_what_is_measured_is_not_learnt_from(tmp_path: Path) -> None:
    photos = photos_of(draw_labels(tmp_path / "images", {"blues": 9, "greens": 4, "reds": 30}), tmp_path)
    learnt, held_out = split(photos, 0.3, seed=1)
    assert not set(learnt) & set(held_out)
    assert (counts(photos, held_out), counts(photos, learnt)) == ([3, 2, 9], [6, 2, 21])


def test_a_label_with_three_photos_is_neither_learnt_nor_measured(tmp_path: Path) -> None:
    photos = photos_of(draw_labels(tmp_path / "images", {"blues": 3, "greens": 4, "reds": 8}), tmp_path)
    learnt, held_out = split(photos, 0.3, seed=1)
    assert counts(photos, learnt)[0] == counts(photos, held_out)[0] == 0


def test_where_there_is_a_folder_val_it_alone_is_measured_with_labels_of_its_own(tmp_path: Path) -> None:
    draw_labels(tmp_path / "images" / "train", {"greens": 4, "reds": 6})
    draw_labels(tmp_path / "images" / "val", {"blues": 5})
    photos = photos_of(tmp_path / "images", tmp_path)
    learnt, held_out = split(photos, 0.5, seed=0)
    assert {photos.paths[row].split("/")[0] for row in learnt} == {"train"}
    assert counts(photos, held_out) == [5, 0, 0] and counts(photos, learnt) == [0, 4, 6]
