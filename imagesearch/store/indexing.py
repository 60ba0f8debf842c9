"""indexing.json: how far the indexer at work is, for those who read the store meanwhile."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from imagesearch.store.layout import StoreLayout

STALE_S = 30.0
"""It is written each second: an older one was left by an indexer that was killed."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """How far a run of the indexer is."""

    phase: str
    """"listing" the folder, "preparing" the network, "describing" photos, "detailing" them
    (finding their local features), "publishing" a snapshot, or "comparing" photos for duplicates."""
    done: int
    total: int
    """Photos of this phase."""
    per_second: float
    """Photos, since the phase began."""
    started_at: str
    """The run: UTC, ISO 8601."""


def write_indexing(layout: StoreLayout, indexing: Indexing) -> None:
    """By one rename; not made durable, as it is out of date within seconds."""
    temporary = layout.indexing_path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(indexing)) + "\n", "utf-8")
    temporary.replace(layout.indexing_path)


def read_indexing(layout: StoreLayout) -> Indexing | None:
    """None where no indexer is at work."""
    try:
        if time.time() - layout.indexing_path.stat().st_mtime > STALE_S:
            return None
        fields: dict[str, Any] = json.loads(layout.indexing_path.read_bytes())
        return Indexing(**fields)
    except (OSError, ValueError, TypeError):
        return None
