"""Reading the JSON files that come with a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imagesearch.errors import ModelDamaged

MAX_BYTES = 1 << 20


def read_json(path: Path) -> dict[str, Any]:
    """Raises ModelDamaged where it is missing or holds no JSON object."""
    if not path.is_file():
        raise ModelDamaged(f"The folder {path.parent.name} holds no {path.name}: export it with the model.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{path.name} is no readable JSON; export it again.") from error
    if not isinstance(content, dict):
        raise ModelDamaged(f"{path.name} holds no JSON object; export it again.")
    return content
