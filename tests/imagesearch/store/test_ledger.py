from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import StoreError
from imagesearch.local_features.storage import NOTHING
from imagesearch.store.ledger import KnownFile, Ledger
from imagesearch.store.ledger_file import install_ledger
from tests.imagesearch.store.stores import (
    RECIPE,
    RECIPE_WITH_LOCAL_FEATURES,
    described,
    descriptor,
    file,
    image_id,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger.create(path, RECIPE, "Because.") as ledger:
        yield ledger


def paths_of(ledger: Ledger) -> dict[str, tuple[str, ...]]:
    return {image.image_id: image.paths for image, _ in ledger.images()}


def test_it_remembers_its_recipe(path: Path) -> None:
    Ledger.create(path, RECIPE, "Because.").close()
    with open_existing(path) as ledger:
        assert (ledger.recipe, ledger.model_note) == (RECIPE, "Because.")


def test_images_come_back_in_order_of_id_with_their_descriptors(ledger: Ledger) -> None:
    ledger.add(described(seed) for seed in range(20))
    rows = list(ledger.images())
    assert [image.image_id for image, _ in rows] == sorted(map(image_id, range(20)))
    by_id = {image.image_id: row for image, row in rows}
    for seed in range(20):
        np.testing.assert_array_equal(by_id[image_id(seed)], [descriptor(seed)])
        assert by_id[image_id(seed)].dtype == np.float16


def test_it_remembers_which_pictures_are_damaged(ledger: Ledger) -> None:
    ledger.add([described(1), replace(described(2), damaged=True)])
    assert {image.image_id: image.damaged for image, _ in ledger.images()} == {
        image_id(1): False,
        image_id(2): True,
    }
    assert ledger.damaged_count() == 1


def test_the_same_bytes_under_two_paths_are_one_image(ledger: Ledger) -> None:
    ledger.add([described(1, "b.jpg", "a.jpg")])
    ledger.link(file("c.jpg"), image_id(1))
    assert paths_of(ledger) == {image_id(1): ("a.jpg", "b.jpg", "c.jpg")}
    assert (ledger.image_count(), ledger.file_count()) == (1, 3)


def test_an_image_goes_with_its_last_path(ledger: Ledger) -> None:
    ledger.add([described(1, "a.jpg", "b.jpg"), described(2, "c.jpg")])
    ledger.forget(["a.jpg"])
    assert paths_of(ledger)[image_id(1)] == ("b.jpg",)
    ledger.forget(["b.jpg"])
    assert paths_of(ledger) == {image_id(2): ("c.jpg",)}


def test_a_path_with_another_content_leaves_its_old_image(ledger: Ledger) -> None:
    ledger.add([described(1, "a.jpg")])
    ledger.add([described(2, "a.jpg")])
    ledger.forget([])
    assert paths_of(ledger) == {image_id(2): ("a.jpg",)}


def test_a_file_is_an_image_or_refused_never_both(ledger: Ledger) -> None:
    ledger.add([described(1, "a.jpg")])
    ledger.refuse(file("a.jpg", mtime_ns=2), "EMPTY_IMAGE", "The file is empty.")
    ledger.forget([])
    assert [refused.path for refused in ledger.refused()] == ["a.jpg"]
    assert (ledger.image_count(), ledger.refused_count()) == (0, 1)
    ledger.add([described(2, "a.jpg")])
    assert list(ledger.refused()) == []


def test_known_files_tell_the_state_and_the_image(ledger: Ledger) -> None:
    ledger.add([described(1, "a.jpg")])
    ledger.refuse(file("b.jpg", 5, 7), "EMPTY_IMAGE", "The file is empty.")
    ledger.refuse(file("c.jpg"), "EMPTY_IMAGE", "The file is empty.", "at most 9 pixels")
    assert ledger.known_files() == {
        "a.jpg": KnownFile(file("a.jpg"), image_id(1)),
        "b.jpg": KnownFile(file("b.jpg", 5, 7), None),
        "c.jpg": KnownFile(file("c.jpg"), None, "at most 9 pixels"),
    }
    ledger.add([described(2, "c.jpg")])
    assert ledger.known_files()["c.jpg"] == KnownFile(file("c.jpg"), image_id(2))


def test_only_what_a_snapshot_would_show_makes_it_lag_behind(ledger: Ledger) -> None:
    ledger.add([described(1, "a.jpg")])
    ledger.refuse(file("b.jpg"), "EMPTY_IMAGE", "The file is empty.")
    ledger.mark_published("000001")
    ledger.touch(file("a.jpg", mtime_ns=9))
    ledger.refuse(file("b.jpg", mtime_ns=9), "EMPTY_IMAGE", "The file is empty.", "at most 9 pixels")
    ledger.forget([])
    ledger.forget(["never-there.jpg"])
    assert not ledger.unpublished
    assert ledger.known_files()["b.jpg"] == KnownFile(file("b.jpg", mtime_ns=9), None, "at most 9 pixels")


@pytest.mark.parametrize("change", ["add", "link", "refuse", "forget", "orphan"])
def test_every_other_change_makes_it_lag_behind(ledger: Ledger, change: str) -> None:
    ledger.add([described(1, "a.jpg", "b.jpg"), described(2, "c.jpg")])
    ledger.mark_published("000001")
    {
        "add": lambda: ledger.add([described(3)]),
        "link": lambda: ledger.link(file("d.jpg"), image_id(1)),
        "refuse": lambda: ledger.refuse(file("e.jpg"), "EMPTY_IMAGE", "The file is empty."),
        "forget": lambda: ledger.forget(["a.jpg"]),
        "orphan": lambda: ledger.link(file("c.jpg"), image_id(1)),
    }[change]()
    assert ledger.unpublished


def test_it_keeps_book_of_the_images_that_came_went_or_have_other_files(ledger: Ledger) -> None:
    assert ledger.published_version is None
    ledger.add([described(1, "a.jpg", "b.jpg"), described(2, "c.jpg"), described(3, "d.jpg"), described(4)])
    ledger.refuse(file("e.jpg"), "EMPTY_IMAGE", "The file is empty.")
    assert ledger.changes() == sorted(map(image_id, range(1, 5)))
    ledger.mark_published("000007")
    assert ledger.changes() == []
    assert ledger.published_version == "000007"
    ledger.touch(file("a.jpg", mtime_ns=9))
    ledger.link(file("c.jpg"), image_id(2))
    assert ledger.changes() == []
    ledger.link(file("b.jpg"), image_id(3))
    assert ledger.changes() == sorted([image_id(1), image_id(3)])
    ledger.refuse(file("c.jpg"), "EMPTY_IMAGE", "The file is empty.")
    ledger.forget(["4.jpg"])
    ledger.add([described(5)])
    assert ledger.changes() == sorted(map(image_id, range(1, 6)))


def test_some_images_can_be_asked_for_in_any_number(ledger: Ledger) -> None:
    ledger.add(described(seed) for seed in range(2_500))
    wanted = sorted(image_id(seed) for seed in range(0, 2_500, 2))
    assert [image.image_id for image, _ in ledger.images(wanted)] == wanted
    assert list(ledger.images([])) == []


def test_a_batch_goes_in_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.add([described(1)])
    with pytest.raises(sqlite3.IntegrityError):
        ledger.add([described(2), described(1, "again.jpg")])
    assert list(paths_of(ledger)) == [image_id(1)]


def test_a_path_cannot_point_to_an_image_that_is_not_there(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        ledger.link(file("a.jpg"), image_id(1))


def test_local_features_come_back_in_order_of_id(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "new.sqlite3", RECIPE_WITH_LOCAL_FEATURES, "") as ledger:
        ledger.add(replace(described(seed), local_features=bytes([seed])) for seed in range(9))
        by_id = sorted(range(9), key=image_id)
        assert list(ledger.local_features()) == [bytes([seed]) for seed in by_id]


def test_local_features_go_with_their_image(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "new.sqlite3", RECIPE_WITH_LOCAL_FEATURES, "") as ledger:
        ledger.add(replace(described(seed, f"{seed}.jpg"), local_features=bytes([seed])) for seed in (1, 2))
        ledger.forget(["1.jpg"])
        assert list(ledger.local_features()) == [bytes([2])]


def test_local_features_may_come_after_their_image(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "new.sqlite3", RECIPE_WITH_LOCAL_FEATURES, "") as ledger:
        ledger.add([described(1, "1.jpg"), described(2, "2.jpg")])
        assert not ledger.publishable_recipe.local_features
        missing = [(file("1.jpg"), image_id(1)), (file("2.jpg"), image_id(2))]
        assert ledger.without_local_features() == missing
        ledger.mark_published("000001")
        ledger.add_local_features({image_id(1): b"found", image_id(3): b"of an image that is gone"})
        assert (ledger.unpublished, ledger.detailed) == (True, True)
        assert ledger.publishable_recipe.local_features
        assert list(ledger.local_features([image_id(1)])) == [b"found"]
        assert list(ledger.local_features([image_id(2)])) == [NOTHING]
        assert [owner for _, owner in ledger.without_local_features()] == [image_id(2)]
        ledger.mark_published("000002")
        assert not ledger.detailed


def test_it_remembers_that_it_holds_local_features(path: Path) -> None:
    Ledger.create(path, RECIPE_WITH_LOCAL_FEATURES, "").close()
    with open_existing(path) as ledger:
        assert ledger.recipe == RECIPE_WITH_LOCAL_FEATURES


def test_a_ledger_older_than_local_features_has_none(path: Path, ledger: Ledger) -> None:
    ledger._connection.execute(
        "UPDATE meta SET value = json_remove(value, '$.local_features') WHERE key = 'recipe'"
    )
    with open_existing(path) as older:
        assert older.recipe == RECIPE


def test_it_can_be_read_while_it_is_written(path: Path, ledger: Ledger) -> None:
    ledger.add([described(1)])
    with open_existing(path, "ro") as reader:
        ledger.add([described(2)])
        assert reader.image_count() == 2


def test_there_is_none_where_nothing_was_created(path: Path) -> None:
    assert Ledger.open(path) is None


def test_a_creation_that_was_killed_left_none_and_can_be_repeated(path: Path) -> None:
    path.touch()
    assert Ledger.open(path) is None
    Ledger.create(path, RECIPE, "").close()
    open_existing(path).close()


def test_a_file_that_is_no_database_is_damage(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match="--rebuild"):
        Ledger.open(path)


def test_a_ledger_of_a_later_format_is_refused(path: Path, ledger: Ledger) -> None:
    ledger._connection.execute("UPDATE meta SET value = '5' WHERE key = 'format'")
    with pytest.raises(StoreError, match="format"):
        Ledger.open(path)


def test_damage_inside_is_found(path: Path, ledger: Ledger) -> None:
    ledger.add(described(seed) for seed in range(500))
    assert ledger.damage() == []
    ledger.close()
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    path.write_bytes(content)
    with open_existing(path) as damaged:
        assert "damaged" in damaged.damage()[0]


def test_a_finished_ledger_takes_the_place_of_another(path: Path, ledger: Ledger) -> None:
    ledger.add([described(1)])
    new = path.with_name("new.sqlite3")
    with Ledger.create(new, replace(RECIPE, descriptor="other"), "") as rebuilt:
        rebuilt.add([described(2)])
    install_ledger(new, path)
    assert not new.exists()
    with open_existing(path) as installed:
        assert installed.recipe.descriptor == "other"
        assert list(paths_of(installed)) == [image_id(2)]


def test_a_finished_ledger_takes_the_place_of_a_damaged_one(path: Path) -> None:
    path.write_bytes(b"nothing that anybody could read" * 100)
    new = path.with_name("new.sqlite3")
    Ledger.create(new, RECIPE, "").close()
    install_ledger(new, path)
    open_existing(path).close()


def open_existing(path: Path, mode: str = "rw") -> Ledger:
    ledger = Ledger.open(path, "ro" if mode == "ro" else "rw")
    assert ledger is not None
    return ledger
