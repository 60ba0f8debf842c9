"""The groups for a person or a script."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicate_groups import Group, GroupedFile, groups
from imagesearch.store.duplicates import read_duplicates
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot

Groups = Mapping[Kinship, Sequence[Group]]


def list_duplicates(layout: StoreLayout) -> Groups:
    """Of the live snapshot, as far as they have been found. Raises StoreError."""
    with Snapshot.open(layout) as snapshot:
        pairs, records = snapshot.akin(read_duplicates(layout).pairs)
    return {kind: groups(pairs, records, kind) for kind in Kinship}


def as_json(found: Groups) -> dict[str, Any]:
    """By kind, in the shape of `GET /duplicates`."""
    return {
        kind: {
            "total": len(listed),
            "groups": [{"images": [_entry(file) for file in group]} for group in listed],
        }
        for kind, listed in found.items()
    }


def _entry(file: GroupedFile) -> dict[str, Any]:
    record = file.record
    return {
        "image_id": record.image_id,
        "path": file.path,
        "paths": list(record.paths),
        "width": record.width,
        "height": record.height,
        "bytes": record.size_bytes,
        "taken_at": record.taken_at or None,
        "keep": file.keep,
    }


def as_csv(found: Groups) -> str:
    """A line for each file; groups are numbered."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("kind", "group", "keep", "path", "image_id", "width", "height", "bytes", "taken_at"))
    for kind, listed in found.items():
        for number, group in enumerate(listed, start=1):
            for file in group:
                entry = _entry(file)
                keep = "keep" if file.keep else ""
                values = (entry[name] for name in ("path", "image_id", "width", "height", "bytes"))
                writer.writerow((kind, number, keep, *values, file.record.taken_at))
    return text.getvalue().rstrip("\n")


def as_text(found: Groups) -> str:
    lines = []
    for kind, listed in found.items():
        lines.append(f"{kind}: {len(listed)} groups")
        for group in listed:
            lines.append("")
            lines += [f"  {'keep  ' if file.keep else '      '}{file.path}" for file in group]
        lines.append("")
    return "\n".join(lines).rstrip()
