"""Stores as older versions wrote them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from imagesearch.local_features.features import to_bytes
from imagesearch.local_features.storage import from_blob
from imagesearch.store.checksums import define_checksum, write_checksums
from imagesearch.store.layout import StoreLayout

_WITHOUT = {
    "2": "DROP TRIGGER date_added; DROP TABLE dates; DELETE FROM checksums WHERE of_table = 'dates';",
    "1": """
        ALTER TABLE images DROP COLUMN damaged;
        ALTER TABLE paths DROP COLUMN refused_under;
        DROP TABLE checksums;
    """,
}
"""What takes from a ledger what a format did not have yet, and the next one had; the newest first."""


def make_older(layout: StoreLayout, ledger_format: str = "1") -> None:
    """Takes from the ledger and every snapshot what older formats did not have yet."""
    make_older_ledger(layout.ledger_path, ledger_format)
    for directory in layout.snapshots_dir.iterdir():
        manifest = json.loads((directory / "manifest.json").read_text())
        (directory / "manifest.sha256").unlink()
        (directory / "manifest.json").write_text(json.dumps(manifest | {"format": int(ledger_format) + 1}))


def make_older_ledger(path: Path, ledger_format: str = "1") -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        define_checksum(connection)
        for image_id, blob in connection.execute("SELECT image_id, features FROM local_features").fetchall():
            change = "UPDATE local_features SET features = ? WHERE image_id = ?"
            connection.execute(change, (to_bytes(from_blob(blob)), image_id))
            write_checksums(connection, ["local_features"], image_id)
    with closing(sqlite3.connect(path)) as connection:
        for without, statements in _WITHOUT.items():
            if without >= ledger_format:
                connection.executescript(statements)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (ledger_format,))
        connection.commit()
