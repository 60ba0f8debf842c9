"""images.sqlite3 of a snapshot: from row to record, and the files that were refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.store.filters import Filter
from imagesearch.store.records import ImageRecord, RefusedFile, record_of

CATALOGUE_NAME = "images.sqlite3"

_SCHEMA = """
CREATE TABLE images (
    row        INTEGER PRIMARY KEY,
    image_id   TEXT NOT NULL UNIQUE,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    damaged    INTEGER NOT NULL,
    taken_at   TEXT NOT NULL
);
CREATE TABLE paths (
    row  INTEGER NOT NULL REFERENCES images (row),
    path TEXT NOT NULL,
    PRIMARY KEY (row, path)
) WITHOUT ROWID;
CREATE INDEX images_by_date ON images (taken_at);
CREATE INDEX paths_by_path ON paths (path);
CREATE TABLE refused (
    path   TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
"""
_IMAGE_COLUMNS = "row, image_id, width, height, media_type, size_bytes, damaged, taken_at"
# SQLite's default limit on parameters is 32,766 in every version in use; statements stay well below.
_ROWS_PER_QUERY = 1_000
_MOST_ROWS = 2**63 - 1


class CatalogueWriter:
    """Fills a new catalogue, or brings the copy of another one up to date.

    Rows are numbered in the order in which images are added.
    """

    def __init__(self, path: Path, first_row: int = 0) -> None:
        """first_row: above all rows of the catalogue that is there; 0 where there is none yet."""
        new = not path.exists()
        self._connection = sqlite3.connect(path, isolation_level=None)
        # Nobody reads it before it is whole, and the publisher makes it durable.
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        if new:
            self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")
        self._rows = first_row

    def add(self, image: ImageRecord) -> None:
        self._connection.execute(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._rows,
                image.image_id,
                image.width,
                image.height,
                image.media_type,
                image.size_bytes,
                image.damaged,
                image.taken_at,
            ),
        )
        self._write_paths(self._rows, image.paths)
        self._rows += 1

    def delete(self, image_ids: Iterable[str]) -> None:
        for image_id in image_ids:
            row = self._row_of(image_id)
            self._connection.execute("DELETE FROM paths WHERE row = ?", (row,))
            self._connection.execute("DELETE FROM images WHERE row = ?", (row,))

    def move(self, images: Iterable[ImageRecord]) -> None:
        """Gives images that are there the paths and the dates of these records."""
        for image in images:
            row = self._row_of(image.image_id)
            self._connection.execute("UPDATE images SET taken_at = ? WHERE row = ?", (image.taken_at, row))
            self._connection.execute("DELETE FROM paths WHERE row = ?", (row,))
            self._write_paths(row, image.paths)

    def refuse(self, files: Iterable[RefusedFile]) -> int:
        """These files and no others. Returns how many there are."""
        self._connection.execute("DELETE FROM refused")
        cursor = self._connection.executemany(
            "INSERT INTO refused VALUES (?, ?, ?)", ((file.path, file.reason, file.detail) for file in files)
        )
        return max(cursor.rowcount, 0)

    def order(self) -> NDArray[np.uint32]:
        """shape=(N,): the rows of the images in ascending order of image id."""
        rows = self._connection.execute("SELECT row FROM images ORDER BY image_id")
        return np.fromiter((row for (row,) in rows), np.uint32)

    def finish(self) -> None:
        self._connection.execute("COMMIT")
        self.close()

    def close(self) -> None:
        self._connection.close()

    def _write_paths(self, row: int, paths: Iterable[str]) -> None:
        self._connection.executemany("INSERT INTO paths VALUES (?, ?)", [(row, path) for path in paths])

    def _row_of(self, image_id: str) -> int:
        """Raises ValueError for an image that is not there."""
        query = "SELECT row FROM images WHERE image_id = ?"
        found = self._connection.execute(query, (image_id,)).fetchone()
        if found is None:
            raise ValueError(f"no image {image_id} in the catalogue")
        return int(found[0])


class Catalogue:
    """Reads a published catalogue. Thread-safe: one connection behind a lock, microseconds a call; a second
    one for what reads a large part of it."""

    def __init__(self, path: Path) -> None:
        self._connection, self._lock = _connected(path), threading.Lock()
        self._scanning, self._scan_lock = _connected(path), threading.Lock()

    def count(self) -> int:
        return int(self._query("SELECT count(*) FROM images")[0][0])

    def row_of(self, image_id: str) -> int | None:
        found = self._query("SELECT row FROM images WHERE image_id = ?", (image_id,))
        return int(found[0][0]) if found else None

    def records(self, rows: Sequence[int]) -> list[ImageRecord]:
        """In the order asked for. Raises IndexError for a row that is not there."""
        found: dict[int, ImageRecord] = {}
        for start in range(0, len(rows), _ROWS_PER_QUERY):
            wanted = [int(row) for row in rows[start : start + _ROWS_PER_QUERY]]
            holes = ",".join("?" * len(wanted))
            found |= self._with_paths(
                self._query(f"SELECT {_IMAGE_COLUMNS} FROM images WHERE row IN ({holes})", wanted)
            )
        missing = [row for row in rows if int(row) not in found]
        if missing:
            raise IndexError(f"no row {missing[0]} in the catalogue")
        return [found[int(row)] for row in rows]

    def rows_of_copies(self) -> list[int]:
        """Of images that are found under several paths."""
        return [row for (row,) in self._query("SELECT row FROM paths GROUP BY row HAVING count(*) > 1")]

    def page(self, after_image_id: str, size: int) -> list[ImageRecord]:
        """The next images in ascending order of id; "" starts at the first."""
        images = self._query(
            f"SELECT {_IMAGE_COLUMNS} FROM images WHERE image_id > ? ORDER BY image_id LIMIT ?",
            (after_image_id, size),
        )
        return list(self._with_paths(images).values())

    def folder_page(self, folder: str, after_path: str, size: int) -> list[tuple[str, ImageRecord]]:
        """The next images under a folder in order of path, each with its first path there.

        "" starts at the first.
        """
        below, behind = f"{folder}/", f"{folder}0"
        found = self._query(
            "SELECT path, row FROM paths AS here WHERE path > ? AND path < ? AND NOT EXISTS"
            " (SELECT 1 FROM paths WHERE row = here.row AND path > ? AND path < here.path)"
            " ORDER BY path LIMIT ?",
            (max(after_path, below), behind, below, size),
        )
        records = self.records([row for _, row in found])
        return [(path, record) for (path, _), record in zip(found, records, strict=True)]

    def refused(self, limit: int, offset: int = 0) -> list[RefusedFile]:
        query = "SELECT path, reason, detail FROM refused ORDER BY path LIMIT ? OFFSET ?"
        rows = self._query(query, (limit, min(offset, _MOST_ROWS)))
        return [RefusedFile(*row) for row in rows]

    def refusals(self) -> dict[str, int]:
        """How many files were refused by reason, most first."""
        query = "SELECT reason, count(*) FROM refused GROUP BY reason ORDER BY count(*) DESC, reason"
        return dict(self._query(query))

    def rows_of(self, where: Filter) -> NDArray[np.int64]:
        """The rows of the images that it lets through, in no order."""
        conditions = where.conditions()
        statement = f"SELECT row FROM images WHERE {' AND '.join(conditions) or 'TRUE'}"
        parameters = [value for values in conditions.values() for value in values]
        with self._scan_lock:
            found = self._scanning.execute(statement, parameters)
            return np.fromiter((row for (row,) in found), np.int64)

    def paths_by_row(self) -> Iterator[tuple[int, str]]:
        """Every row with each of its paths, in order of rows. Streams."""
        with self._scan_lock:
            yield from self._scanning.execute("SELECT row, path FROM paths ORDER BY row")

    def close(self) -> None:
        for connection, lock in ((self._connection, self._lock), (self._scanning, self._scan_lock)):
            with lock:
                connection.close()

    def _with_paths(self, images: list[tuple[Any, ...]]) -> dict[int, ImageRecord]:
        paths: dict[int, list[str]] = {}
        for start in range(0, len(images), _ROWS_PER_QUERY):
            rows = [image[0] for image in images[start : start + _ROWS_PER_QUERY]]
            holes = ",".join("?" * len(rows))
            query = f"SELECT row, path FROM paths WHERE row IN ({holes}) ORDER BY row, path"
            for row, path in self._query(query, rows):
                paths.setdefault(row, []).append(path)
        return {row: record_of(columns, paths[row]) for row, *columns in images}

    def _query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()


def _connected(path: Path) -> sqlite3.Connection:
    # immutable: no lock files and no change checks, so that a read-only store can be read.
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False)
