"""The ledger's file: its schema, and opening it so that a killed writer harms nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from imagesearch.backbones.base import ModelIdentity, Precision
from imagesearch.descriptors.choices import DescriptorSettings
from imagesearch.errors import StoreError
from imagesearch.store.durable import full_disk_as_store_full, sync_directory, sync_file
from imagesearch.store.recipe import Recipe

_FORMAT = "1"
_SCHEMA = (
    """
    CREATE TABLE meta (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE images (
        image_id   TEXT PRIMARY KEY,
        sha256     TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        width      INTEGER NOT NULL,
        height     INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        descriptor BLOB NOT NULL
    )
    """,
    # A file holds an image or was refused: a file that cannot be read has no content to hang an error on.
    """
    CREATE TABLE paths (
        path       TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        mtime_ns   INTEGER NOT NULL,
        image_id   TEXT REFERENCES images (image_id),
        reason     TEXT,
        detail     TEXT,
        CHECK ((image_id IS NULL) = (reason IS NOT NULL AND detail IS NOT NULL))
    ) WITHOUT ROWID
    """,
    "CREATE INDEX paths_by_image ON paths (image_id, path)",
)
# What tells the ledger from the snapshot published last: ids of images that came, went or have other files.
# Triggers keep it, so that no writer can forget to.
_NOTE_CHANGE = """
    INSERT INTO changes SELECT {image_id}
    WHERE {image_id} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM changes WHERE image_id = {image_id});
"""
_CHANGES_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS changes (image_id TEXT PRIMARY KEY) WITHOUT ROWID",
    f"""
    CREATE TRIGGER IF NOT EXISTS path_added AFTER INSERT ON paths
    BEGIN {_NOTE_CHANGE.format(image_id="NEW.image_id")} END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS path_changed AFTER UPDATE ON paths WHEN OLD.image_id IS NOT NEW.image_id
    BEGIN {_NOTE_CHANGE.format(image_id="OLD.image_id")} {_NOTE_CHANGE.format(image_id="NEW.image_id")} END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS path_dropped AFTER DELETE ON paths
    BEGIN {_NOTE_CHANGE.format(image_id="OLD.image_id")} END
    """,
)
# Each only in a ledger whose recipe asks for it. Apart from the images: a blob is many times a descriptor.
_LOCAL_FEATURES_SCHEMA = """
    CREATE TABLE local_features (
        image_id TEXT PRIMARY KEY REFERENCES images (image_id) ON DELETE CASCADE,
        features BLOB NOT NULL
    )
"""
_CONV_MAPS_SCHEMA = """
    CREATE TABLE conv_maps (
        image_id TEXT PRIMARY KEY REFERENCES images (image_id) ON DELETE CASCADE,
        map      BLOB NOT NULL
    )
"""


def create_ledger(path: Path, recipe: Recipe, model_note: str) -> sqlite3.Connection:
    """Where a ledger exists already, it stays and sqlite3.OperationalError is raised."""
    connection = _connect(path, "rwc")
    connection.execute("PRAGMA journal_mode = WAL")
    meta = {
        "format": _FORMAT,
        "recipe": json.dumps(asdict(recipe)),
        "model_note": model_note,
        "unpublished": "0",
    }
    with transaction(connection):
        for statement in (*_SCHEMA, *_CHANGES_SCHEMA):
            connection.execute(statement)
        if recipe.local_features:
            connection.execute(_LOCAL_FEATURES_SCHEMA)
        if recipe.localization:
            connection.execute(_CONV_MAPS_SCHEMA)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    return connection


def open_ledger(
    path: Path, mode: Literal["rw", "ro"] = "rw"
) -> tuple[sqlite3.Connection, Recipe, str] | None:
    """The connection, the recipe and the model's note; None where there is no ledger yet.

    A creation that was killed left no ledger either. Raises StoreError for one that cannot be used.
    """
    if not path.exists():
        return None
    try:
        with full_disk_as_store_full(), ExitStack() as closed_on_failure:
            connection = closed_on_failure.enter_context(closing(_connect(path, mode)))
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                return None
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            if meta["format"] != _FORMAT:
                raise StoreError("The store's ledger has another format; use the version that wrote it.")
            recipe = _recipe(meta["recipe"])
            if mode == "rw":
                with transaction(connection):
                    for statement in _CHANGES_SCHEMA:  # a ledger of an older version is without
                        connection.execute(statement)
            closed_on_failure.pop_all()
            return connection, recipe, meta["model_note"]
    except sqlite3.OperationalError as error:
        raise StoreError("The store's ledger cannot be opened; check the folder's permissions.") from error
    except (sqlite3.DatabaseError, KeyError, TypeError, ValueError) as error:
        raise StoreError("The store's ledger is damaged; build --rebuild writes another one.") from error


def remove_ledger(path: Path) -> None:
    """With its write-ahead log: no other database must ever meet it."""
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def install_ledger(new: Path, path: Path) -> None:
    """Puts a finished ledger in the place of another, which may be damaged or missing.

    Both logs are folded into their files first, so that the rename alone decides which one there is.
    """
    _fold_log(new)
    sync_file(new)
    with suppress(sqlite3.DatabaseError):
        _fold_log(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new.replace(path)
    sync_directory(path.parent)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    # Without a sync at each commit: a killed process loses nothing that it committed, a power failure may
    # lose the last commits but never the consistency.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _fold_log(path: Path) -> None:
    if path.exists():
        with closing(_connect(path, "rw")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _recipe(text: str) -> Recipe:
    fields = json.loads(text)
    return Recipe(
        descriptor=fields["descriptor"],
        dim=fields["dim"],
        model=ModelIdentity(**fields["model"]),
        precision=Precision(fields["precision"]),
        # Absent from ledgers that are older than what they ask for.
        local_features=fields.get("local_features", False),
        localization=fields.get("localization", False),
        # And these from ledgers older than other descriptors than fc6.
        upright=fields.get("upright", False),
        settings=DescriptorSettings(**fields.get("settings", {})),
    )
