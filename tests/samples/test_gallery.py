from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from samples.errors import FolderTaken
from samples.gallery import GROUND_TRUTH, VERSION, draw_gallery, draw_instance, drawn_version
from samples.scenes import KINDS


@pytest.fixture(scope="module")
def pictures(gallery_dir: Path) -> list[dict[str, Any]]:
    truth: list[dict[str, Any]] = json.loads((gallery_dir / GROUND_TRUTH).read_text())["pictures"]
    return truth


def test_there_are_eight_kinds_of_twenty_pictures(pictures: list[dict[str, Any]]) -> None:
    kinds = Counter(picture["kind"] for picture in pictures)
    assert len(kinds) == 8
    assert set(kinds.values()) == {20}


def test_every_kind_has_several_instances_seen_several_times(pictures: list[dict[str, Any]]) -> None:
    for kind in KINDS:
        views = [(picture["instance"], picture["view"]) for picture in pictures if picture["kind"] == kind]
        assert set(views) == {(instance, view) for instance in range(1, 6) for view in range(1, 5)}


def test_the_ground_truth_names_every_file_and_no_other(
    gallery_dir: Path, pictures: list[dict[str, Any]]
) -> None:
    on_disk = {path.relative_to(gallery_dir).as_posix() for path in gallery_dir.rglob("*.jpg")}
    assert {picture["file"] for picture in pictures} == on_disk
    for picture in pictures:
        name = "{kind}/{kind}-{instance}-{view}.jpg".format(**picture)
        assert picture["file"] == name


def test_every_file_is_a_jpeg_of_the_size_it_should_be_without_metadata(
    gallery_dir: Path, pictures: list[dict[str, Any]]
) -> None:
    for picture in pictures:
        with Image.open(gallery_dir / picture["file"]) as image:
            assert image.format == "JPEG"
            assert list(image.size) == picture["size"]
            assert not image.getexif()
            image.load()


def test_shapes_are_mixed(pictures: list[dict[str, Any]]) -> None:
    shapes = {np.sign(width - height) for width, height in (picture["size"] for picture in pictures)}
    assert shapes == {-1, 0, 1}


@pytest.mark.parametrize("kind", ["blossoms", "lighthouses", "tiles"])
def test_another_process_draws_the_same_bytes(gallery_dir: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / kind).mkdir()
    draw_instance(kind, 2, tmp_path)
    for path in (tmp_path / kind).iterdir():
        assert path.read_bytes() == (gallery_dir / kind / path.name).read_bytes()


def test_no_two_pictures_are_the_same(gallery_dir: Path) -> None:
    contents = [path.read_bytes() for path in gallery_dir.rglob("*.jpg")]
    assert len(set(contents)) == len(contents)


def test_a_second_run_does_nothing(gallery_dir: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in gallery_dir.rglob("*")}
    assert not draw_gallery(gallery_dir)
    assert {path: path.stat().st_mtime_ns for path in gallery_dir.rglob("*")} == before


def test_a_folder_of_ones_own_photos_is_left_alone(tmp_path: Path) -> None:
    photo = tmp_path / "photos" / "me.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"dear to somebody")
    with pytest.raises(FolderTaken):
        draw_gallery(photo.parent)
    assert photo.read_bytes() == b"dear to somebody"


def test_an_older_gallery_is_replaced_with_all_its_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seas").mkdir()
    (tmp_path / "seas" / "seas-1-1.jpg").write_bytes(b"")
    truth = {"version": "1", "pictures": [{"file": "seas/seas-1-1.jpg"}]}
    (tmp_path / GROUND_TRUTH).write_text(json.dumps(truth))
    monkeypatch.setattr("samples.gallery.KINDS", {"tiles": KINDS["tiles"]})
    assert draw_gallery(tmp_path)
    assert drawn_version(tmp_path) == VERSION
    assert {path.name for path in tmp_path.iterdir()} == {"tiles", GROUND_TRUTH}


def test_a_photo_put_into_an_older_gallery_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "seas").mkdir()
    for name in ("seas/seas-1-1.jpg", "seas/me.jpg"):
        (tmp_path / name).write_bytes(b"")
    truth = {"version": "0", "pictures": [{"file": "seas/seas-1-1.jpg"}]}
    (tmp_path / GROUND_TRUTH).write_text(json.dumps(truth))
    with pytest.raises(FolderTaken):
        draw_gallery(tmp_path)
    assert (tmp_path / "seas/me.jpg").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "gallery").write_text("")
    with pytest.raises(FolderTaken, match="gallery is a file"):
        draw_gallery(tmp_path / "gallery")


def test_the_version_of_a_folder_is_known_only_for_a_gallery(gallery_dir: Path, tmp_path: Path) -> None:
    assert drawn_version(gallery_dir) == VERSION
    assert drawn_version(tmp_path) is None
    (tmp_path / GROUND_TRUTH).write_text("[]")
    assert drawn_version(tmp_path) is None


def test_views_of_an_instance_look_alike_and_other_scenes_do_not(
    gallery_dir: Path, pictures: list[dict[str, Any]]
) -> None:
    """By colours alone, which none of the search's networks has a part in; chance would be 1 in 53."""
    histograms = np.stack([_colours(gallery_dir / picture["file"]) for picture in pictures])
    likeness = histograms @ histograms.T
    np.fill_diagonal(likeness, -1)
    scenes = np.asarray([f"{picture['kind']}-{picture['instance']}" for picture in pictures])
    nearest = scenes[np.argsort(-likeness, axis=1)[:, :3]]
    assert (nearest[:, 0] == scenes).mean() > 0.92
    assert (nearest == scenes[:, None]).mean() > 0.8


def test_instances_of_a_kind_can_be_told_apart(gallery_dir: Path) -> None:
    for kind in KINDS:
        seen = [_colours(gallery_dir / kind / f"{kind}-{instance}-1.jpg") for instance in range(1, 6)]
        for first, second in combinations(seen, 2):
            assert first @ second < 0.85, kind


def test_the_recorded_geometry_lays_one_view_upon_another(
    gallery_dir: Path, pictures: list[dict[str, Any]]
) -> None:
    for kind in KINDS:
        drawn, turned = (
            next(p for p in pictures if (p["kind"], p["instance"], p["view"]) == (kind, 1, view))
            for view in (1, 3)
        )
        target = np.asarray(Image.open(gallery_dir / turned["file"]).convert("L"), np.float32)
        laid = _seen_as(gallery_dir / drawn["file"], drawn, turned)
        astray = _seen_as(gallery_dir / drawn["file"], drawn, {**turned, "scene_from_view": _shifted(turned)})
        inside = laid > 0
        assert np.corrcoef(laid[inside], target[inside])[0, 1] > 0.97
        assert np.corrcoef(astray[inside], target[inside])[0, 1] < 0.9


def _colours(path: Path) -> NDArray[np.float64]:
    """Square root of a joint histogram of hue, saturation and value: 108 bins, unit length."""
    with Image.open(path) as image:
        hue, saturation, value = np.asarray(image.resize((96, 96)).convert("HSV"), int).reshape(-1, 3).T
    bins = np.minimum(hue // 22, 11) * 9 + saturation // 86 * 3 + value // 86
    counts = np.bincount(bins, minlength=108)
    return np.asarray(np.sqrt(counts / counts.sum()))


def _seen_as(path: Path, source: dict[str, Any], view: dict[str, Any]) -> NDArray[np.float32]:
    """The source's grey values at the pixels of the other view, 0 outside."""
    to_scene, from_scene = _matrix(view), np.linalg.inv(_matrix(source))
    a, b, c, d, e, f = (from_scene @ to_scene)[:2].ravel()
    with Image.open(path) as image:
        grey = image.convert("L").point(lambda level: max(1, level))
        moved = grey.transform(tuple(view["size"]), Image.Transform.AFFINE, (a, b, c, d, e, f))
    return np.asarray(moved, np.float32)


def _matrix(picture: dict[str, Any]) -> NDArray[np.float64]:
    return np.vstack([picture["scene_from_view"], [0, 0, 1]])


def _shifted(picture: dict[str, Any]) -> list[list[float]]:
    (a, b, c), (d, e, f) = picture["scene_from_view"]
    return [[a, b, c + 25], [d, e, f + 25]]
