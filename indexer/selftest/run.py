"""The self-test from settings to a report on disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from imagesearch.store.durable import replace_file
from imagesearch.store.layout import StoreLayout
from indexer.errors import ImagesFolderError, ReportError
from indexer.network_source import Networks
from indexer.progress import ShowProgress
from indexer.selftest.engine import engine_settings
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
        search_all(engine_settings(settings), settings.images_dir, networks.load, choices, show_progress)
    )
    replace_file(path, page(results, StoreLayout(settings.store_dir)).encode())
    return results, path


def _check_writable(path: Path) -> None:
    """Before minutes of searching, not after."""
    writable = os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True)
    if not writable or path.is_dir():
        raise ReportError(f"The report cannot be written to {path}; name another place with --report.")
