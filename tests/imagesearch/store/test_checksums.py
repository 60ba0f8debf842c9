"""What the ledger holds of an image is what was written, or it is said and never read."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from imagesearch.errors import StoreError
from imagesearch.store.ledger import Ledger
from tests.imagesearch.store.older import make_older_ledger
from tests.imagesearch.store.stores import RECIPE, described, image_id

FULL = replace(RECIPE, local_features=True, localization=True)
READERS: dict[str, Callable[[Ledger], Iterator[object]]] = {
    "images": Ledger.images,
    "local_features": Ledger.local_features,
    "conv_maps": Ledger.conv_maps,
}


def random_bytes(seed: int, count: int) -> bytes:
    return random.Random(seed).randbytes(count)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite3"
    with Ledger.create(path, FULL, "") as ledger:
        ledger.add(
            replace(
                described(seed),
                local_features=random_bytes(seed, 8 + 5 * 22),
                conv_map=random_bytes(seed, 9_999),
            )
            for seed in range(1, 10)
        )
    return path


def opened(path: Path) -> Ledger:
    ledger = Ledger.open(path)
    assert ledger is not None
    return ledger


def spoil(path: Path, table: str, value: str) -> None:
    """Of the fourth image, behind the ledger's back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE {table} SET {value} WHERE image_id = '{image_id(4)}'")
        connection.commit()


def test_a_ledger_is_as_it_was_written(path: Path) -> None:
    with opened(path) as ledger:
        assert ledger.corrupt_images() == []
        assert [len(list(read(ledger))) for read in READERS.values()] == [9, 9, 9]


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("images", "descriptor = CAST(descriptor || x'00' AS BLOB)"),
        ("images", "descriptor = zeroblob(16)"),
        ("images", "sha256 = 'f' || sha256"),
        ("images", "sha256 = CAST(x'ff' AS TEXT)"),
        ("images", "size_bytes = size_bytes + 1"),
        ("images", "width = 65"),
        ("images", "height = 49"),
        ("images", "media_type = 'image/jpeh'"),
        ("images", "media_type = CAST(media_type AS BLOB)"),
        ("images", "damaged = 1"),
        ("local_features", "features = zeroblob(99)"),
        ("conv_maps", "map = zeroblob(9999)"),
    ],
)
def test_another_value_in_any_column_is_found_and_never_read(path: Path, table: str, value: str) -> None:
    spoil(path, table, value)
    with opened(path) as ledger:
        assert ledger.corrupt_images() == [image_id(4)]
        with pytest.raises(StoreError, match="build again"):
            list(READERS[table](ledger))


@pytest.mark.parametrize(("byte", "bit"), [(0, 0), (100, 7), (5_000, 3), (9_998, 1)])
def test_a_flipped_bit_on_the_disk_is_found(path: Path, byte: int, bit: int) -> None:
    content, disk = random_bytes(4, 9_999), bytearray(path.read_bytes())
    start = byte // 4 * 4
    disk[disk.index(content[start : start + 4]) + byte - start] ^= 1 << bit
    path.write_bytes(disk)
    with opened(path) as ledger:
        assert ledger.damage() == [], "SQLite itself does not notice"
        assert ledger.corrupt_images() == [image_id(4)]


def test_a_ledger_of_the_older_format_is_given_checksums(path: Path) -> None:
    make_older_ledger(path)
    with opened(path) as ledger:
        assert ledger.corrupt_images() == []
    spoil(path, "conv_maps", "map = zeroblob(9999)")
    with opened(path) as ledger:
        assert ledger.corrupt_images() == [image_id(4)]


def test_a_lost_checksum_is_no_proof(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM checksums WHERE of_table = 'images' AND image_id = ?", (image_id(4),))
        connection.commit()
    with opened(path) as ledger:
        assert ledger.corrupt_images() == [image_id(4)]


def test_a_dropped_image_goes_with_its_files_and_can_come_again(path: Path) -> None:
    spoil(path, "images", "width = 65")
    with opened(path) as ledger:
        ledger.drop_images([image_id(4)])
        assert "4.jpg" not in ledger.known_files()
        ledger.add([replace(described(4), local_features=b"again", conv_map=b"again")])
        assert ledger.corrupt_images() == []
        assert ledger.image_count() == 9


def test_an_image_that_cannot_be_found_to_be_dropped_says_what_to_do(path: Path) -> None:
    with opened(path) as ledger:
        with pytest.raises(StoreError, match="--rebuild"):
            ledger.drop_images([image_id(4), image_id(99)])
        assert ledger.image_count() == 9
