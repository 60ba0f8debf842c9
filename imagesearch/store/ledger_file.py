"""The ledger's file: opening it so that a killed writer harms nothing."""

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
from imagesearch.store.checksums import define_checksum
from imagesearch.store.durable import full_disk_as_store_full, sync_directory, sync_file
from imagesearch.store.ledger_schema import FORMAT, OLDER_FORMATS, create_tables, migrate
from imagesearch.store.recipe import Recipe


def create_ledger(path: Path, recipe: Recipe, model_note: str) -> sqlite3.Connection:
    """Where a ledger exists already, it stays and sqlite3.OperationalError is raised."""
    connection = _connect(path, "rwc")
    connection.execute("PRAGMA journal_mode = WAL")
    meta = {
        "format": FORMAT,
        "recipe": json.dumps(asdict(recipe)),
        "model_note": model_note,
        "unpublished": "0",
    }
    with transaction(connection):
        create_tables(connection, recipe)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    return connection


def open_ledger(
    path: Path, mode: Literal["rw", "ro"] = "rw"
) -> tuple[sqlite3.Connection, Recipe, str] | None:
    """The connection, the recipe and the model's note; None where there is no ledger yet.

    A creation that was killed left no ledger either. One of an older format is brought up to date, without
    describing anything again. Raises StoreError for one that cannot be used.
    """
    if not path.exists():
        return None
    try:
        with full_disk_as_store_full(), ExitStack() as closed_on_failure:
            connection = closed_on_failure.enter_context(closing(_connect(path, mode)))
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                return None
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            recipe = _recipe(meta["recipe"])
            if meta["format"] != FORMAT:
                _bring_up_to_date(connection, recipe, meta["format"], mode)
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


def _bring_up_to_date(connection: sqlite3.Connection, recipe: Recipe, ledger_format: str, mode: str) -> None:
    """Raises StoreError for a later format, and for an older one that may only be read."""
    if ledger_format not in OLDER_FORMATS:
        raise StoreError("The store's ledger has another format; use the version that wrote it.")
    if mode == "ro":
        raise StoreError(
            "The store's ledger was written by an older version; build brings it up to date. The photos need "
            "not be described again."
        )
    with transaction(connection):
        migrate(connection, recipe, ledger_format)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    # Without a sync at each commit: a killed process loses nothing that it committed, a power failure may
    # lose the last commits but never the consistency.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    define_checksum(connection)
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
