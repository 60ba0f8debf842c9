"""ledger.sqlite3: the truth about every file ever seen, from which snapshots are published."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.choices import LOCAL_KINDS
from imagesearch.errors import StoreError
from imagesearch.local_features.storage import NOTHING
from imagesearch.store import departed
from imagesearch.store.checksums import corrupt_images, described_in, is_whole, write_checksums
from imagesearch.store.layout import image_id_of
from imagesearch.store.ledger_file import create_ledger, open_ledger, transaction
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord, RefusedFile, record_of

# SQLite's default limit on parameters is 32,766 in every version in use; statements stay well below.
_IDS_PER_QUERY = 1_000

_BEYOND_REPAIR = "The store's ledger is damaged; build --rebuild writes another one."

DescribedRow = tuple[ImageRecord, NDArray[np.float16]]


@dataclass(frozen=True, slots=True)
class FileState:
    """A file in the images folder. While all three stay the same, so does its content."""

    path: str
    """Relative to the images folder, forward slashes."""
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the ledger holds of one path."""

    state: FileState
    image_id: str | None
    """None for a refused file."""
    refused_under: str | None = None
    """By which limits and decoders; None where the next try may end otherwise under the same ones."""


@dataclass(frozen=True, slots=True)
class DescribedImage:
    """One distinct content, and the files that hold it."""

    sha256: str
    size_bytes: int
    width: int
    height: int
    media_type: str
    vectors: NDArray[np.float16]
    """shape=(R, C): what its descriptor is made of; none where that is its local features."""
    files: Sequence[FileState]
    local_features: bytes | None = None
    """As `local_features.storage` packs them; None where they come later, or never."""
    conv_map: bytes | None = None
    """The same of `conv_maps.storage`."""
    damaged: bool = False
    """Whether pixels of the file are missing or wrong."""
    taken_at: str = ""
    """As in `ImageRecord`."""

    @property
    def image_id(self) -> str:
        return image_id_of(self.sha256)


class Ledger:
    """Used by one thread of one process. Every method that changes something is one transaction.

    `unpublished` tells whether the live snapshot lags behind.
    """

    def __init__(self, connection: sqlite3.Connection, recipe: Recipe, model_note: str) -> None:
        self._connection = connection
        self.recipe = recipe
        self.model_note = model_note
        """Why this network was taken; empty where it was asked for by name."""

    @classmethod
    def create(cls, path: Path, recipe: Recipe, model_note: str) -> Ledger:
        """Where there is none yet."""
        return cls(create_ledger(path, recipe, model_note), recipe, model_note)

    @classmethod
    def open(cls, path: Path, mode: Literal["rw", "ro"] = "rw") -> Ledger | None:
        """None where there is none yet. Raises StoreError for one that cannot be used."""
        opened = open_ledger(path, mode)
        return cls(*opened) if opened else None

    def known_files(self) -> dict[str, KnownFile]:
        """By path."""
        rows = self._connection.execute(
            "SELECT path, size_bytes, mtime_ns, image_id, refused_under FROM paths"
        )
        return {row[0]: KnownFile(FileState(*row[:3]), *row[3:]) for row in rows}

    def image_sizes(self) -> set[int]:
        """Every size in bytes that an indexed image has."""
        return {size for (size,) in self._connection.execute("SELECT DISTINCT size_bytes FROM images")}

    def has_image(self, image_id: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM images WHERE image_id = ?", (image_id,))
        return found.fetchone() is not None

    def image_ids(self) -> Iterator[str]:
        """In ascending order."""
        yield from map(
            itemgetter(0), self._connection.execute("SELECT image_id FROM images ORDER BY image_id")
        )

    def add(self, images: Iterable[DescribedImage]) -> None:
        """New images and their files, all or none."""
        with self._changing():
            for image in images:
                self._connection.execute(
                    "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        image.image_id,
                        image.sha256,
                        image.size_bytes,
                        image.width,
                        image.height,
                        image.media_type,
                        image.vectors.astype("<f2", copy=False).tobytes(),
                        image.damaged,
                    ),
                )
                self._connection.execute("INSERT INTO dates VALUES (?, ?)", (image.image_id, image.taken_at))
                if image.local_features is not None:
                    self._write_local_features(image.image_id, image.local_features)
                if self.recipe.localization:
                    self._connection.execute(
                        "INSERT INTO conv_maps VALUES (?, ?)", (image.image_id, image.conv_map)
                    )
                write_checksums(self._connection, described_in(self.recipe), image.image_id)
                for file in image.files:
                    self._write_path(file, image.image_id)

    def undated(self) -> dict[str, list[str]]:
        """By image id, the paths of images whose files have not been asked for a date yet, as in older
        ledgers."""
        rows = self._connection.execute(
            "SELECT image_id, path FROM paths WHERE image_id IS NOT NULL "
            "AND image_id NOT IN (SELECT image_id FROM dates) ORDER BY image_id, path"
        )
        return {image_id: [path for _, path in files] for image_id, files in groupby(rows, itemgetter(0))}

    def write_dates(self, dates: Mapping[str, str]) -> None:
        """Of images that are `undated`, by image id; see `ImageRecord.taken_at`."""
        with self._changing():
            for image_id, taken_at in dates.items():
                self._connection.execute("INSERT INTO dates VALUES (?, ?)", (image_id, taken_at))
                write_checksums(self._connection, ["dates"], image_id)

    def want_local_features(self, upright: bool) -> None:
        """From now on; upright: whether they take up as up."""
        self.recipe = replace(self.recipe, local_features=True, upright=upright)
        with transaction(self._connection):
            text = json.dumps(asdict(self.recipe))
            self._connection.execute("UPDATE meta SET value = ? WHERE key = 'recipe'", (text,))

    def without_local_features(self) -> list[tuple[FileState, str]]:
        """A file of each image whose local features are not found yet, and the image's id."""
        rows = self._connection.execute(
            "SELECT min(path), size_bytes, mtime_ns, image_id FROM paths WHERE image_id IS NOT NULL AND "
            "NOT EXISTS (SELECT 1 FROM local_features WHERE local_features.image_id = paths.image_id) "
            "GROUP BY image_id ORDER BY min(path)"
        )
        return [(FileState(*row[:3]), row[3]) for row in rows]

    def add_local_features(self, found: Mapping[str, bytes]) -> None:
        """found: by image id, as `local_features.storage` packs them. Passes over images that are gone."""
        with self._changing():
            for image_id, blob in found.items():
                if self.has_image(image_id):
                    self._write_local_features(image_id, blob)
                    write_checksums(self._connection, ["local_features"], image_id)
                    self._connection.execute(
                        "INSERT OR REPLACE INTO meta SELECT 'detailed', '1' "
                        "WHERE NOT EXISTS (SELECT 1 FROM changes WHERE image_id = ?)",
                        (image_id,),
                    )

    def link(self, file: FileState, image_id: str) -> None:
        """A file that holds an image of the ledger."""
        with self._changing():
            self._write_path(file, image_id)

    def touch(self, file: FileState) -> None:
        """A known file whose state is new, but not what there is to say of it: no snapshot lags behind."""
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE paths SET size_bytes = ?, mtime_ns = ? WHERE path = ?",
                (file.size_bytes, file.mtime_ns, file.path),
            )

    def refuse(self, file: FileState, reason: str, detail: str, refused_under: str | None = None) -> None:
        """Nothing changes for the snapshot where the file had been refused for the same reason."""
        query = "SELECT 1 FROM paths WHERE path = ? AND reason = ? AND detail = ?"
        known = self._connection.execute(query, (file.path, reason, detail)).fetchone()
        with transaction(self._connection) if known else self._changing():
            self._write_path(file, None, reason, detail, refused_under)

    def forget(self, paths: Iterable[str]) -> None:
        """Drops files that are gone. An image that is left without a file departs: `bring_back` finds it."""
        with transaction(self._connection):
            dropped_paths = self._connection.executemany(
                "DELETE FROM paths WHERE path = ?", ((path,) for path in paths)
            ).rowcount
            dropped_images = departed.depart(self._connection, time.time())
            if dropped_paths > 0 or dropped_images > 0:
                self._set_unpublished("1")

    def bring_back(self, file: FileState, image_id: str) -> bool:
        """A file of an image that has departed. False where there is none."""
        with self._changing():
            found = departed.bring_back(self._connection, image_id)
            if found:
                self._write_path(file, image_id)
        return found

    def departed_ids(self) -> set[str]:
        return departed.ids(self._connection)

    def departed_sizes(self) -> set[int]:
        """Every size in bytes that one of them has."""
        return departed.sizes(self._connection)

    def expire_departed(self, days: float) -> None:
        """Forgets the images that departed longer ago."""
        with transaction(self._connection):
            departed.expire(self._connection, time.time() - days * 86_400)

    def corrupt_images(self) -> list[str]:
        """The ids of images that are not held as they were written, ascending. Reads every row.

        Raises StoreError where one cannot be read at all.
        """
        try:
            return corrupt_images(self._connection, self.recipe)
        except sqlite3.DatabaseError as error:
            raise StoreError(_BEYOND_REPAIR) from error

    def drop_images(self, image_ids: Sequence[str]) -> None:
        """With their files, as if neither had ever been seen. Raises StoreError where one cannot be found."""
        ids = [(image_id,) for image_id in image_ids]
        with self._changing():
            self._connection.executemany("DELETE FROM paths WHERE image_id = ?", ids)
            cursor = self._connection.executemany("DELETE FROM images WHERE image_id = ?", ids)
            if cursor.rowcount != len(ids):
                raise StoreError(_BEYOND_REPAIR)

    @property
    def unpublished(self) -> bool:
        """Whether something changed since `mark_published`."""
        query = "SELECT value FROM meta WHERE key = 'unpublished'"
        return bool(self._connection.execute(query).fetchone()[0] == "1")

    def mark_published(self, version: str) -> None:
        """version: of the snapshot that holds what the ledger holds."""
        with transaction(self._connection):
            self._set_unpublished("0")
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('published', ?)", (version,))
            self._connection.execute("DELETE FROM changes")
            self._connection.execute("DELETE FROM meta WHERE key = 'early'")
            self._connection.execute("DELETE FROM meta WHERE key = 'detailed'")

    @property
    def detailed(self) -> bool:
        """Whether images that were published without their local features have got them since then."""
        return self._count("meta WHERE key = 'detailed'") > 0

    @property
    def publishable_recipe(self) -> Recipe:
        """What a snapshot can hold by now: no local features while none are found."""
        recipe = self.recipe
        found = recipe.local_features and (
            recipe.descriptor in LOCAL_KINDS or self._count("local_features") > 0
        )
        return replace(recipe, local_features=found)

    @property
    def published_version(self) -> str | None:
        """Of the snapshot that `changes` goes on from; None where there has been none yet."""
        return self._meta("published")

    @property
    def known(self) -> NDArray[np.float16] | None:
        """See `Snapshot.known`."""
        coded = self._meta("known")
        if coded is None:
            return None
        return np.frombuffer(bytes.fromhex(coded), "<f2").reshape(-1, self.recipe.dim)

    def keep_known(self, vectors: NDArray[np.float32]) -> None:
        """vectors: of `known_picture`, shape=(R, C)."""
        with transaction(self._connection):
            coded = vectors.astype("<f2").tobytes().hex()
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('known', ?)", (coded,))

    def mark_early(self, version: str) -> None:
        """version: of a snapshot that holds what has been described so far, until `mark_published`."""
        with transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('early', ?)", (version,))

    @property
    def early_version(self) -> str | None:
        """Of the last early snapshot; None where none came after the last `mark_published`."""
        return self._meta("early")

    def changes(self) -> list[str]:
        """Ids of images that came, went or changed their files since `mark_published`, ascending."""
        rows = self._connection.execute("SELECT image_id FROM changes ORDER BY image_id")
        return [image_id for (image_id,) in rows]

    def image_count(self) -> int:
        return self._count("images")

    def damaged_count(self) -> int:
        """Images of which a part is missing or wrong."""
        return self._count("images WHERE damaged")

    def file_count(self) -> int:
        """Files that hold an image."""
        return self._count("paths WHERE image_id IS NOT NULL")

    def refused_count(self) -> int:
        return self._count("paths WHERE image_id IS NULL")

    def images(self, image_ids: Sequence[str] | None = None) -> Iterator[DescribedRow]:
        """Every image and its vectors, shape=(R, C), in ascending order of image_id. Streams.

        image_ids: only these, which ascend and are all there. Raises StoreError at an image that is not held
        as it was written.
        """
        for among, wanted in _slices(image_ids):
            images = self._connection.execute(
                f"SELECT {is_whole('images')} AND (taken_at IS NULL OR {is_whole('dates')}), "
                "image_id, width, height, media_type, size_bytes, damaged, coalesce(taken_at, ''), "
                f"descriptor FROM images LEFT JOIN dates USING (image_id) WHERE {among} ORDER BY image_id",
                wanted,
            )
            paths = self._connection.execute(
                f"SELECT image_id, path FROM paths WHERE {among} ORDER BY image_id, path", wanted
            )
            files_of_each = groupby(paths, key=itemgetter(0))
            # Every image has a file and every file an image, so that the two run in step.
            for (whole, *columns, vectors), (owner, files) in zip(images, files_of_each, strict=True):
                _check(whole and columns[0] == owner)
                record = record_of(columns, (path for _, path in files))
                yield record, np.frombuffer(vectors, "<f2").reshape(-1, self.recipe.dim)

    def local_features(self, image_ids: Sequence[str] | None = None) -> Iterator[bytes]:
        """Of the images that `images` gives, in that order, and with the same error: of one that has none yet
        the blob of nothing. Streams."""
        for blob in self._blobs("features", "local_features", image_ids):
            yield NOTHING if blob is None else blob

    def conv_maps(self, image_ids: Sequence[str] | None = None) -> Iterator[bytes]:
        """The same of convolutional maps, where the recipe asks for them: every image has one then."""
        for blob in self._blobs("map", "conv_maps", image_ids):
            assert blob is not None
            yield blob

    def refused(self) -> Iterator[RefusedFile]:
        """In order of path."""
        rows = self._connection.execute(
            "SELECT path, reason, detail FROM paths WHERE image_id IS NULL ORDER BY path"
        )
        yield from (RefusedFile(*row) for row in rows)

    def refused_counts(self) -> dict[str, int]:
        """How many files were refused with each sentence."""
        query = "SELECT detail, count(*) FROM paths WHERE image_id IS NULL GROUP BY detail"
        return dict(self._connection.execute(query).fetchall())

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when all is well."""
        try:
            found = [row[0] for row in self._connection.execute("PRAGMA integrity_check")]
            orphans = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError:
            return ["The ledger is damaged."]
        broken = [] if found == ["ok"] else [f"The ledger is damaged: {found[0]}."]
        return broken + (["The ledger has files of images that it does not hold."] if orphans else [])

    def close(self) -> None:
        """Also folds the write-ahead log into the file, unless somebody else has it open."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """A transaction after which the live snapshot lags behind."""
        with transaction(self._connection):
            yield
            self._set_unpublished("1")

    def _set_unpublished(self, value: str) -> None:
        self._connection.execute("UPDATE meta SET value = ? WHERE key = 'unpublished'", (value,))

    def _write_path(
        self,
        file: FileState,
        image_id: str | None,
        reason: str | None = None,
        detail: str | None = None,
        refused_under: str | None = None,
    ) -> None:
        self._connection.execute(
            # No REPLACE: it would delete the row unseen by the triggers that keep `changes`.
            "INSERT INTO paths VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET "
            "size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, image_id = excluded.image_id, "
            "reason = excluded.reason, detail = excluded.detail, refused_under = excluded.refused_under",
            (file.path, file.size_bytes, file.mtime_ns, image_id, reason, detail, refused_under),
        )

    def _write_local_features(self, image_id: str, blob: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO local_features VALUES (?, ?)", (image_id, blob))

    def _blobs(self, column: str, table: str, image_ids: Sequence[str] | None) -> Iterator[bytes | None]:
        """None for an image without."""
        for among, wanted in _slices(image_ids):
            query = (
                f"SELECT {is_whole(table)}, {column} FROM images LEFT JOIN {table} USING (image_id) "
                f"WHERE {among} ORDER BY image_id"
            )
            for whole, blob in self._connection.execute(query, wanted):
                _check(whole or blob is None)
                yield blob

    def _meta(self, key: str) -> str | None:
        found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    def _count(self, what: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


def _check(whole: bool) -> None:
    if not whole:
        raise StoreError(
            "What the store's ledger holds of a photo is damaged, and nothing was published; build again, "
            "and the photo is described again."
        )


def _slices(image_ids: Sequence[str] | None) -> Iterator[tuple[str, Sequence[str]]]:
    """Conditions on `image_id` that together ask for these images, or for all, each with its parameters."""
    if image_ids is None:
        yield "image_id IS NOT NULL", ()
        return
    for start in range(0, len(image_ids), _IDS_PER_QUERY):
        wanted = image_ids[start : start + _IDS_PER_QUERY]
        yield f"image_id IN ({','.join('?' * len(wanted))})", wanted
