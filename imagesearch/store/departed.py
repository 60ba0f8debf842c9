"""Images whose last file is gone: the ledger keeps them for a time, so that they need not be described again.

Beside each table that holds something of an image stands its twin, `departed_<table>`, from which nothing is
published. Everything here is called in a transaction, but for `ids` and `sizes`.
"""

from __future__ import annotations

import sqlite3
from typing import Any

_WITHOUT_FILE = "NOT EXISTS (SELECT 1 FROM paths WHERE paths.image_id = images.image_id)"


def depart(connection: sqlite3.Connection, now_s: float) -> int:
    """Moves every image without a file to the twins. Returns how many."""
    gone = connection.execute(f"SELECT image_id FROM images WHERE {_WITHOUT_FILE}").fetchall()
    if not gone:
        return 0
    tables = _tables(connection)
    if _twins(connection) != tables:  # there are none yet, or the ledger's tables have become others
        _make_twins(connection, tables)
    for (image_id,) in gone:
        _drop(connection, "image_id = ?", image_id)
        connection.execute("INSERT INTO departed VALUES (?, ?)", (image_id, now_s))
        for table in tables:
            connection.execute(
                f"INSERT INTO departed_{table} SELECT * FROM {table} WHERE image_id = ?", (image_id,)
            )
    connection.executemany("DELETE FROM images WHERE image_id = ?", gone)
    return len(gone)


def bring_back(connection: sqlite3.Connection, image_id: str) -> bool:
    """Whether it was there. It needs a file in the same transaction."""
    tables = _tables(connection)
    if _twins(connection) != tables:
        return False
    for table in tables:
        connection.execute(
            f"INSERT INTO {table} SELECT * FROM departed_{table} WHERE image_id = ?", (image_id,)
        )
    return _drop(connection, "image_id = ?", image_id) > 0


def expire(connection: sqlite3.Connection, before_s: float) -> None:
    """Forgets those that departed earlier."""
    if _twins(connection):
        _drop(connection, "image_id IN (SELECT image_id FROM departed WHERE since_s < ?)", before_s)


def ids(connection: sqlite3.Connection) -> set[str]:
    return _values(connection, "image_id")


def sizes(connection: sqlite3.Connection) -> set[int]:
    """Every size in bytes that one of them has."""
    return _values(connection, "size_bytes")


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of those that hold something of an image; images first, to which the others refer."""
    found = _with_image_id(connection)
    others = {name for name in found if not name.startswith("departed")} - {"images", "paths", "changes"}
    return {name: found[name] for name in ["images", *sorted(others)]}


def _twins(connection: sqlite3.Connection) -> dict[str, list[str]]:
    found = _with_image_id(connection)
    return {
        name.removeprefix("departed_"): columns
        for name, columns in found.items()
        if name.startswith("departed_")
    }


def _with_image_id(connection: sqlite3.Connection) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT tables.name, columns.name "
        "FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns "
        "WHERE tables.type = 'table' ORDER BY tables.name, columns.cid"
    ):
        columns.setdefault(table, []).append(column)
    return {table: names for table, names in columns.items() if "image_id" in names}


def _make_twins(connection: sqlite3.Connection, tables: dict[str, list[str]]) -> None:
    for table in _twins(connection):
        connection.execute(f"DROP TABLE departed_{table}")
    connection.execute("DROP TABLE IF EXISTS departed")
    connection.execute("CREATE TABLE departed (image_id TEXT PRIMARY KEY, since_s REAL NOT NULL)")
    for table in tables:
        connection.execute(f"CREATE TABLE departed_{table} AS SELECT * FROM {table} WHERE 0")
        connection.execute(f"CREATE INDEX departed_{table}_by_image ON departed_{table} (image_id)")


def _drop(connection: sqlite3.Connection, which: str, value: object) -> int:
    """Returns how many images."""
    for table in _twins(connection):
        connection.execute(f"DELETE FROM departed_{table} WHERE {which}", (value,))
    return connection.execute(f"DELETE FROM departed WHERE {which}", (value,)).rowcount


def _values(connection: sqlite3.Connection, column: str) -> set[Any]:
    if not _twins(connection):
        return set()
    return {value for (value,) in connection.execute(f"SELECT DISTINCT {column} FROM departed_images")}
