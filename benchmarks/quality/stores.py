"""Stores of the photo sets, built by the indexer's own command and kept under var/quality."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.quality.configurations import Configuration, Options
from benchmarks.quality.photo_sets import PhotoSet
from imagesearch.backbones.cards import CARDS

STORES_DIR = Path("var/quality")


class BuildFailed(Exception):
    """The indexer could not build a store; the message is what it said."""


def store_of(
    photos: PhotoSet,
    configuration: Configuration,
    model: str,
    searches: Sequence[Options],
    fresh: bool = False,
) -> Path:
    """model: for INDEXER_MODEL where the configuration has a network. searches: decide what is kept.

    See `built_store`.
    """
    settings = dict(configuration.settings)
    if configuration.network:
        verified = any("verify" in options for options in searches)
        settings |= {"model": model, "local_features": str(verified).lower()}
    return built_store(photos, settings, fresh)


def built_store(photos: PhotoSet, settings: Mapping[str, str], fresh: bool) -> Path:
    """The store of the photos as the settings describe them: there already, or built now.

    settings: names without INDEXER_ in lower case. fresh: describe all photos again. Raises BuildFailed.
    """
    store_dir = STORES_DIR / photos.name / _key(photos, settings)
    command = [sys.executable, "-m", "indexer", "build"]
    command += ["--images", str(photos.folder), "--store", str(store_dir)]
    if fresh and store_dir.is_dir():
        command.append("--rebuild")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("INDEXER_")}
    asked = {f"INDEXER_{name.upper()}": value for name, value in settings.items()}
    # What indexing says is shown only where it fails; its progress bar is for somebody who watches.
    done = subprocess.run(
        command, env=inherited | {"INDEXER_LOG_LEVEL": "WARNING"} | asked, check=False, stdout=subprocess.PIPE
    )
    if done.returncode:
        raise BuildFailed(
            f"Indexing {photos.folder} with {dict(settings)} failed, as the indexer says above."
        )
    return store_dir


def _key(photos: PhotoSet, settings: Mapping[str, str]) -> str:
    """A folder's name; another one for other settings, weights or photos."""
    model = settings.get("model", "")
    described = json.dumps([str(photos.folder.resolve()), dict(settings)], sort_keys=True)
    digest = hashlib.sha256(described.encode())
    if model in CARDS:
        digest.update(f"{CARDS[model].preprocessing} {CARDS[model].digest}".encode())
    elif Path(model).is_file():
        digest.update(Path(model).read_bytes())
    name = "-".join([settings["descriptor"], *filter(None, [Path(model).stem])])
    return f"{name}-{digest.hexdigest()[:8]}"
