from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import StoreError
from imagesearch.local_features.features import from_bytes, to_bytes
from imagesearch.local_features.storage import from_blob, to_blob
from imagesearch.store.checksums import define_checksum, write_checksums
from imagesearch.store.ledger import Ledger
from imagesearch.store.ledger_schema import OLDER_FORMATS, migrate
from imagesearch.store.recipe import Recipe
from tests.imagesearch.store.older import make_older_ledger
from tests.imagesearch.store.stores import (
    RECIPE,
    RECIPE_WITH_LOCAL_FEATURES,
    described,
    features,
    file,
    image_id,
)


@pytest.fixture(params=OLDER_FORMATS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Of a ledger of an older format."""
    path = tmp_path / "ledger.sqlite3"
    with Ledger.create(path, RECIPE, "Because.") as ledger:
        ledger.add(described(seed) for seed in range(9))
        ledger.refuse(file("bad.jpg"), "EMPTY_IMAGE", "The file is empty.")
        ledger.mark_published("000004")
    make_older_ledger(path, request.param)
    return path


def opened(path: Path) -> Ledger:
    ledger = Ledger.open(path)
    assert ledger is not None
    return ledger


def test_a_ledger_of_an_older_format_keeps_all_it_holds(path: Path, tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "new.sqlite3", RECIPE, "Because.") as new:
        new.add(described(seed) for seed in range(9))
        expected = list(new.images())
    for _ in range(2):  # when it is brought up to date, and afterwards
        with opened(path) as ledger:
            images = list(ledger.images())
            assert [record for record, _ in images] == [record for record, _ in expected]
            for (_, vectors), (_, wanted) in zip(images, expected, strict=True):
                np.testing.assert_array_equal(vectors, wanted)
            assert [refused.path for refused in ledger.refused()] == ["bad.jpg"]
            assert (ledger.published_version, ledger.damage()) == ("000004", [])


def test_every_file_that_it_refused_is_to_be_tried_once_more(path: Path) -> None:
    with opened(path) as ledger:
        assert ledger.known_files()["bad.jpg"].refused_under is None


def test_local_features_kept_at_136_bytes_become_codes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.create(path, RECIPE_WITH_LOCAL_FEATURES, "") as ledger:
        ledger.add(replace(described(seed), local_features=to_blob(features(seed))) for seed in range(3))
    with closing(sqlite3.connect(path)) as connection, connection:
        define_checksum(connection)
        for seed in range(3):
            change = "UPDATE local_features SET features = ? WHERE image_id = ?"
            connection.execute(change, (to_bytes(features(seed)), image_id(seed)))
            write_checksums(connection, ["local_features"], image_id(seed))
        connection.execute("UPDATE meta SET value = '3' WHERE key = 'format'")
    with opened(path) as ledger:
        assert ledger.corrupt_images() == []
        kept = [from_blob(blob) for blob in ledger.local_features(sorted(map(image_id, range(3))))]
    for seed, stored in zip(sorted(range(3), key=image_id), kept, strict=True):
        np.testing.assert_array_equal(
            stored.root_sift, from_blob(to_blob(from_bytes(to_bytes(features(seed))))).root_sift
        )


def test_one_that_may_only_be_read_says_what_brings_it_up_to_date(path: Path) -> None:
    with pytest.raises(StoreError, match="older version; build brings it up to date"):
        Ledger.open(path, "ro")
    opened(path).close()
    ledger = Ledger.open(path, "ro")
    assert ledger is not None
    ledger.close()


def test_a_stop_in_the_middle_leaves_the_older_format(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(connection: sqlite3.Connection, recipe: Recipe, older_format: str) -> None:
        migrate(connection, recipe, older_format)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("imagesearch.store.ledger_file.migrate", stop)
        Ledger.open(path)
    with pytest.raises(StoreError, match="older version"):
        Ledger.open(path, "ro")
    with opened(path) as ledger:
        assert ledger.image_count() == 9
