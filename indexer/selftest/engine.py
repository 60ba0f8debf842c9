"""The engine that the indexer searches with: that of the service, with the indexer's own limits."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from extractor_service.settings import ExtractorSettings
from imagesearch.errors import InvalidOption
from imagesearch.host.command_line import first_problem
from indexer.settings import IndexerSettings

UNHURRIED_MS = 600_000
"""What is found must not depend on how busy the machine is, so that all candidates are verified."""


def engine_settings(settings: IndexerSettings, **others: Any) -> ExtractorSettings:
    """Those of the service, which decide how it searches, but for what the indexer knows better, and others.

    Raises InvalidOption for a bad setting of the service.
    """
    try:
        return ExtractorSettings(
            store_dir=settings.store_dir,
            images_dir=settings.images_dir,
            threads=settings.threads,
            max_image_bytes=settings.max_image_bytes,
            max_pixels=settings.max_pixels,
            decode_workers=settings.workers,
            decode_timeout_s=settings.decode_timeout_s,
            decode_memory_bytes=settings.decode_memory_bytes,
            verify_budget_ms=UNHURRIED_MS,
            **others,
        )
    except ValidationError as error:
        raise InvalidOption(first_problem(error, ExtractorSettings)) from error
