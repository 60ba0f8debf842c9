"""The ledger's tables, and what brings those of an older format up to date."""

from __future__ import annotations

import sqlite3

from imagesearch.local_features.features import from_bytes
from imagesearch.local_features.storage import to_blob
from imagesearch.store import checksums
from imagesearch.store.recipe import Recipe

FORMAT = "4"
OLDER_FORMATS = ("1", "2", "3")
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
# Apart from the images: a blob is many times a descriptor. Local features may come later than their image.
_LOCAL_FEATURES_SCHEMA = """
    CREATE TABLE IF NOT EXISTS local_features (
        image_id TEXT PRIMARY KEY REFERENCES images (image_id) ON DELETE CASCADE,
        features BLOB NOT NULL
    )
"""
# Only in a ledger whose recipe asks for them.
_CONV_MAPS_SCHEMA = """
    CREATE TABLE conv_maps (
        image_id TEXT PRIMARY KEY REFERENCES images (image_id) ON DELETE CASCADE,
        map      BLOB NOT NULL
    )
"""


def create_tables(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """Call it in a transaction."""
    for statement in (*_SCHEMA, _DATES_SCHEMA, _LOCAL_FEATURES_SCHEMA, *_CHANGES_SCHEMA, checksums.SCHEMA):
        connection.execute(statement)
    if recipe.localization:
        connection.execute(_CONV_MAPS_SCHEMA)


def migrate(connection: sqlite3.Connection, recipe: Recipe, older_format: str) -> None:
    """From one of OLDER_FORMATS, without describing anything again. Call it in a transaction."""
    if older_format in ("1", "2"):
        connection.execute(_DATES_SCHEMA)  # its images are `undated`
    for statement in _CHANGES_SCHEMA:  # the first ledgers were without
        connection.execute(statement)
    if older_format == "1":
        _tell_damage_and_refusals(connection, recipe)
    _code_local_features(connection)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (FORMAT,))


def _tell_damage_and_refusals(connection: sqlite3.Connection, recipe: Recipe) -> None:
    """Format 1 did not tell damaged pictures, and not what refusals come from: all count as whole until they
    are described again, and every refused file is tried once more. Reads all blobs, to give them their
    checksums."""
    connection.execute("ALTER TABLE images ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE paths ADD COLUMN refused_under TEXT")
    connection.execute(checksums.SCHEMA)
    checksums.write_checksums(connection, checksums.described_in(recipe))


def _code_local_features(connection: sqlite3.Connection) -> None:
    """Format 3 held them at 136 bytes each, and had no table of them where they were not asked for."""
    connection.execute(_LOCAL_FEATURES_SCHEMA)
    whole = f"SELECT image_id FROM local_features WHERE {checksums.is_whole('local_features')}"
    for (image_id,) in connection.execute(whole).fetchall():
        query = "SELECT features FROM local_features WHERE image_id = ?"
        (blob,) = connection.execute(query, (image_id,)).fetchone()
        change = "UPDATE local_features SET features = ? WHERE image_id = ?"
        connection.execute(change, (to_blob(from_bytes(blob)), image_id))
        checksums.write_checksums(connection, ["local_features"], image_id)
