"""The self-test from settings to a report on disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pydantic import ValidationError

from extractor_service.settings import ExtractorSettings
from imagesearch.errors import InvalidOption
from imagesearch.host.command_line import first_problem
from imagesearch.store.durable import replace_file
from imagesearch.store.layout import StoreLayout
from indexer.errors import ImagesFolderError, ReportError
from indexer.network_source import Networks
from indexer.progress import ShowProgress
from indexer.selftest.report import page
from indexer.selftest.results import Choices, Results
from indexer.selftest.searches import search_all
from indexer.settings import IndexerSettings

REPORT_NAME = "selftest.html"


def selftest(
    settings: IndexerSettings,
    networks: Networks,
    choices: Choices,
    report: Path | None,
    show_progress: ShowProgress,
) -> tuple[Results, Path]:
    """What was found, and the path of the report.

    report: a file, or a folder for a file named REPORT_NAME; None takes the store. Raises what `search_all`
    raises, ReportError, ImagesFolderError, and InvalidOption for a bad setting of the service.
    """
    if not settings.images_dir.is_dir():
        raise ImagesFolderError(
            f"There is no folder {settings.images_dir}; give the folder of photos with --images or "
            "INDEXER_IMAGES_DIR."
        )
    path = report or settings.store_dir
    if path.is_dir():
        path = path / REPORT_NAME
    _check_writable(path)
    results = asyncio.run(
        search_all(_service_settings(settings), settings.images_dir, networks.load, choices, show_progress)
    )
    replace_file(path, page(results, StoreLayout(settings.store_dir)).encode())
    return results, path


def _check_writable(path: Path) -> None:
    """Before minutes of searching, not after."""
    writable = os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True)
    if not writable or path.is_dir():
        raise ReportError(f"The report cannot be written to {path}; name another place with --report.")


def _service_settings(settings: IndexerSettings) -> ExtractorSettings:
    """Those of the service, which decide how it searches, but for what the indexer knows better."""
    try:
        return _overridden(settings)
    except ValidationError as error:
        raise InvalidOption(first_problem(error, ExtractorSettings)) from error


def _overridden(settings: IndexerSettings) -> ExtractorSettings:
    return ExtractorSettings(
        store_dir=settings.store_dir,
        images_dir=settings.images_dir,
        threads=settings.threads,
        max_image_bytes=settings.max_image_bytes,
        max_pixels=settings.max_pixels,
        decode_workers=settings.workers,
        decode_timeout_s=settings.decode_timeout_s,
        decode_memory_bytes=settings.decode_memory_bytes,
        # All candidates are verified: the figures must not depend on how busy the machine is.
        verify_budget_ms=600_000,
    )
