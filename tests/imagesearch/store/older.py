"""Stores as older versions wrote them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from imagesearch.store.layout import StoreLayout


def make_older(layout: StoreLayout) -> None:
    """Takes from the ledger and every snapshot what formats 1 and 2 did not have yet."""
    make_older_ledger(layout.ledger_path)
    for directory in layout.snapshots_dir.iterdir():
        manifest = json.loads((directory / "manifest.json").read_text())
        (directory / "manifest.json").write_text(json.dumps(manifest | {"format": 2}))


def make_older_ledger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            ALTER TABLE images DROP COLUMN damaged;
            ALTER TABLE paths DROP COLUMN refused_under;
            DROP TABLE checksums;
            UPDATE meta SET value = '1' WHERE key = 'format';
            """
        )
