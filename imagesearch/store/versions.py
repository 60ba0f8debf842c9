"""The versions of a store: how the next one becomes the live one, and how old ones go."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imagesearch.errors import SnapshotDamaged
from imagesearch.store.durable import replace_file, sync_directory
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import current_version


@contextmanager
def next_snapshot(layout: StoreLayout) -> Iterator[tuple[str, Path]]:
    """Yields the next version and a folder to write it into, then makes it live by renames.

    Whatever interrupts it, the live snapshot is the old one or the new one, whole. Only one publisher at a
    time: see `lock.exclusive`.
    """
    layout.snapshots_dir.mkdir(parents=True, exist_ok=True)
    remove_leftovers(layout)
    version = next_version(layout)
    temporary = layout.snapshots_dir / f".{version}.new"
    temporary.mkdir()
    try:
        yield version, temporary
        temporary.rename(layout.snapshot_dir(version))
    finally:
        remove_leftovers(layout)
    sync_directory(layout.snapshots_dir)
    replace_file(layout.current_path, f"{version}\n".encode("ascii"))


def versions(layout: StoreLayout) -> list[str]:
    """Every snapshot of the store, oldest first, live or not."""
    if not layout.snapshots_dir.is_dir():
        return []
    names = [path.name for path in layout.snapshots_dir.iterdir() if path.name.isdecimal()]
    return sorted(names, key=int)


def next_version(layout: StoreLayout) -> str:
    """Six digits or more, above every snapshot there is and the live one."""
    taken = versions(layout)
    with suppress(SnapshotDamaged):  # a CURRENT that names nothing is about to be replaced
        taken.append(current_version(layout) or "0")
    return f"{max(map(int, taken), default=0) + 1:06d}"


def remove_leftovers(layout: StoreLayout) -> None:
    """Removes what a killed publisher or a killed prune left behind."""
    for path in layout.snapshots_dir.glob(".*"):
        shutil.rmtree(path)


def prune(layout: StoreLayout, keep: int) -> list[str]:
    """Removes all but the newest `keep` >= 1 snapshots, never the live one. Returns the versions removed.

    A reader that has one open reads on. Only under `lock.exclusive`.
    """
    live = current_version(layout)
    removed = [version for version in versions(layout)[:-keep] if version != live]
    for version in removed:
        remove_version(layout, version)
    remove_leftovers(layout)
    return removed


def remove_version(layout: StoreLayout, version: str | None) -> None:
    """Removes a snapshot that is not the live one, if it is there. Only under `lock.exclusive`."""
    if version is None or not layout.snapshot_dir(version).is_dir():
        return
    # Out of sight first: a reader finds a snapshot whole or not at all.
    doomed = layout.snapshots_dir / f".{version}.old"
    layout.snapshot_dir(version).rename(doomed)
    shutil.rmtree(doomed)
