"""What a refusal depends on. Where that has changed, the file is tried again."""

from __future__ import annotations

import json

from imagesearch.pictures.decoders import decoders_version
from indexer.settings import IndexerSettings

LIMITS = {"max_image_bytes", "max_pixels", "decode_timeout_s", "decode_memory_bytes"}


def conditions(settings: IndexerSettings) -> str:
    """The limits and the decoders of this build, as the ledger keeps them with what they refuse."""
    return json.dumps(settings.model_dump(include=LIMITS) | {"decoders": decoders_version()})
