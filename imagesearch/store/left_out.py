"""left-out.json: what the last look through the folder left out, for those who read the store."""

from __future__ import annotations

import json
from collections.abc import Mapping

from imagesearch.store.layout import StoreLayout


def write_left_out(layout: StoreLayout, counts: Mapping[str, int]) -> None:
    """By one rename; not made durable, as each build writes it. counts: of folders and files by kind."""
    temporary = layout.left_out_path.with_suffix(".new")
    temporary.write_text(json.dumps(dict(counts)) + "\n", "utf-8")
    temporary.replace(layout.left_out_path)


def read_left_out(layout: StoreLayout) -> dict[str, int]:
    """Empty where no build has written it."""
    try:
        counts = json.loads(layout.left_out_path.read_bytes())
        return {str(kind): int(count) for kind, count in counts.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
