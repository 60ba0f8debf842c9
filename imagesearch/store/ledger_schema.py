"""The ledger's tables, and what brings those of an older format up to date."""

from __future__ import annotations

import sqlite3

from imagesearch.store import checksums
from imagesearch.store.recipe import Recipe

FORMAT = "3"
OLDER_FORMATS = ("1", "2")
"""Which `migrate` brings up to date."""

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
        descriptor BLOB NOT NULL,
        damaged    INTEGER NOT NULL DEFAULT 0
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
        refused_under TEXT,
        CHECK ((image_id IS NULL) = (reason IS NOT NULL AND detail IS NOT NULL))
    ) WITHOUT ROWID
    """,
    "CREATE INDEX paths_by_image ON paths (image_id, path)",
)
# Apart from the images, so that they can be added without writing images and their checksums again.
_DATES_SCHEMA = """
    CREATE TABLE dates (
        image_id TEXT PRIMARY KEY REFERENCES images (image_id) ON DELETE CASCADE,
        taken_at TEXT NOT NULL
    ) WITHOUT ROWID
"""
# What tells the ledger from the snapshot published last: ids of images that came, went, have other files or
# got their date. Triggers keep it, so that no writer can forget to.
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
    f"""
    CREATE TRIGGER IF NOT EXISTS date_added AFTER INSERT ON dates
    BEGIN {_NOTE_CHANGE.format(image_id="NEW.image_id")} END
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


def create_tables(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """Call it in a transaction."""
    for statement in (*_SCHEMA, _DATES_SCHEMA, *_CHANGES_SCHEMA, checksums.SCHEMA):
        connection.execute(statement)
    if recipe.local_features:
        connection.execute(_LOCAL_FEATURES_SCHEMA)
    if recipe.localization:
        connection.execute(_CONV_MAPS_SCHEMA)


def migrate(connection: sqlite3.Connection, recipe: Recipe, older_format: str) -> None:
    """From one of OLDER_FORMATS. Its images are `undated`.

    Call it in a transaction.
    """
    connection.execute(_DATES_SCHEMA)
    for statement in _CHANGES_SCHEMA:  # the first ledgers were without
        connection.execute(statement)
    if older_format == "1":
        _tell_damage_and_refusals(connection, recipe)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (FORMAT,))


def _tell_damage_and_refusals(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """Format 1 did not tell damaged pictures, and not what refusals come from: all count as whole until they
    are described again, and every refused file is tried once more. Reads all blobs, to give them their
    checksums."""
    connection.execute("ALTER TABLE images ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE paths ADD COLUMN refused_under TEXT")
    connection.execute(checksums.SCHEMA)
    checksums.write_checksums(connection, checksums.described_in(recipe))
