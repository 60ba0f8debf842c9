"""The checksums of the ledger: a row of an image that is not as it was written is found when it is read.

They have a table of their own, so that a ledger without them can be given some by reading its blobs alone.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable

from imagesearch.store.recipe import Recipe

_COLUMNS = {
    "images": (
        "image_id", "sha256", "size_bytes", "width", "height", "media_type", "descriptor", "damaged",
    ),
    "dates": ("image_id", "taken_at"),
    "local_features": ("image_id", "features"),
    "conv_maps": ("image_id", "map"),
}  # fmt: skip
SCHEMA = """
    CREATE TABLE checksums (
        image_id TEXT NOT NULL REFERENCES images (image_id) ON DELETE CASCADE,
        of_table TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (image_id, of_table)
    ) WITHOUT ROWID
"""


def described_in(recipe: Recipe) -> list[str]:
    """The tables that hold something of images, `dates` and `local_features` perhaps not of all."""
    there = {
        "images": True,
        "dates": True,
        "local_features": recipe.local_features,
        "conv_maps": recipe.localization,
    }
    return [table for table, is_there in there.items() if is_there]


def define_checksum(connection: sqlite3.Connection) -> None:
    """Every statement of this module needs it."""
    connection.create_function("crc32_of", -1, _crc32_of, deterministic=True)


def is_whole(table: str) -> str:
    """SQL: whether a row of the table is as it was written."""
    return (
        f"{_checksum(table)} IS (SELECT checksum FROM checksums "
        f"WHERE checksums.image_id = {table}.image_id AND of_table = '{table}')"
    )


def write_checksums(
    connection: sqlite3.Connection, tables: Iterable[str], image_id: str | None = None
) -> None:
    """Of one image's rows, or of all. tables: some of `described_in`."""
    among, wanted = ("", ()) if image_id is None else ("WHERE image_id = ?", (image_id,))
    for table in tables:
        rows = f"SELECT image_id, '{table}', {_checksum(table)} FROM {table} {among}"
        connection.execute(f"INSERT OR REPLACE INTO checksums {rows}", wanted)


def corrupt_images(connection: sqlite3.Connection, recipe: Recipe) -> list[str]:
    """The ids of images of which a row is not as it was written, ascending. Reads all of them."""
    found = [f"SELECT image_id FROM {table} WHERE NOT {is_whole(table)}" for table in described_in(recipe)]
    rows = connection.execute(f"{' UNION '.join(found)} ORDER BY image_id")
    return [image_id for (image_id,) in rows]


def _checksum(table: str) -> str:
    # As blobs: a text that is no longer UTF-8 could not be handed over.
    columns = (f"typeof({table}.{column}), CAST({table}.{column} AS BLOB)" for column in _COLUMNS[table])
    return f"crc32_of({', '.join(columns)})"


def _crc32_of(*values: str | bytes | None) -> int:
    checksum = 0
    for value in values:
        checksum = zlib.crc32(value.encode() if isinstance(value, str) else value or b"", checksum)
    return checksum
