"""Every file of a store, changed at random: `verify` finds it."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from imagesearch.errors import StoreError
from imagesearch.store.duplicates import Duplicates, read_duplicates
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import current_version
from indexer.inspection import damage
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw_many
from tests.torture.promise import Outcome
from tests.torture.stops import build


def changed_bits(root: Path, short: bool) -> Outcome:
    """Flips, cuts and zeroed blocks, one at a time."""
    outcome, rng = Outcome(), random.Random(1)
    images, layout = root / "images", StoreLayout(root / "store")
    images.mkdir()
    draw_many(images, range(12))
    assert build(images, layout) == 0
    said = Said.by(layout)
    for path in [each for each in sorted(layout.root.rglob("*")) if each.is_file() and each.stat().st_size]:
        whole = path.read_bytes()
        for _ in range(1 if short else 60):
            changed = change(whole, rng)
            path.write_bytes(changed)
            found = damage(layout, FakeNetworks())
            if found or is_harmless(path, layout, said):
                outcome.tried += 1
            else:
                outcome.check(False, f"{path.relative_to(layout.root)}: not found")
        path.write_bytes(whole)
    shutil.rmtree(layout.root)
    return outcome


def change(whole: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(whole))
    match rng.choice(("flip", "flip", "cut", "zero")):
        case "flip":
            return whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :]
        case "cut":
            return whole[:place]
        case _:
            end = min(len(whole), place + 64)
            return whole[:place] + bytes(b ^ 0xFF for b in whole[place:end]) + whole[end:]


@dataclass(frozen=True, slots=True)
class Said:
    """What those files of a store say that may say the same in other bytes."""

    ledger: list[str]
    duplicates: Duplicates
    live: str | None

    @classmethod
    def by(cls, layout: StoreLayout) -> Said:
        return cls(content_of(layout.ledger_path), read_duplicates(layout), live_version(layout))


def is_harmless(path: Path, layout: StoreLayout, said: Said) -> bool:
    """Whether it changed nothing that is said: a page that is not in use, a date in an archive, a blank."""
    if path in (layout.ledger_path, layout.duplicates_path, layout.current_path):
        return Said.by(layout) == said
    return path.name in {
        "selftest.html",
        "indexing.json",
        "left-out.json",
        "indexer.lock",
        "ledger.sqlite3-shm",
    }


def live_version(layout: StoreLayout) -> str | None:
    try:
        return current_version(layout)
    except StoreError:
        return None


def content_of(database: Path) -> list[str]:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return list(connection.iterdump())
    except sqlite3.Error:
        return []
