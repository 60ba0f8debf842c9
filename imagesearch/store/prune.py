"""Removing old snapshots."""

from __future__ import annotations

import shutil

from imagesearch.store.layout import StoreLayout
from imagesearch.store.publish import remove_leftovers, versions
from imagesearch.store.snapshot import current_version


def prune(layout: StoreLayout, keep: int) -> list[str]:
    """Removes all but the newest `keep` >= 1 snapshots, never the live one. Returns the versions removed.

    A reader that has one open reads on. Only under `lock.exclusive`.
    """
    live = current_version(layout)
    removed = [version for version in versions(layout)[:-keep] if version != live]
    for version in removed:
        # Out of sight first: a reader finds a snapshot whole or not at all.
        doomed = layout.snapshots_dir / f".{version}.old"
        layout.snapshot_dir(version).rename(doomed)
        shutil.rmtree(doomed)
    remove_leftovers(layout)
    return removed
