"""Fine-tuning on the sample pictures, and what it writes in use: `make train-smoke`."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from extractor_service.settings import ExtractorSettings
from imagesearch.backbones import load_backbone
from imagesearch.store.layout import StoreLayout
from indexer.__main__ import main as indexer_main
from protos.imagesearch.v1 import search_pb2
from tests.conftest import REPOSITORY
from tests.extractor_service.serving import running


def trained(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "training", *arguments, "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


async def test_fine_tuning_improves_what_it_has_not_seen_and_its_model_serves(
    gallery_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = trained("finetune", "--images", str(gallery_dir), "--out", str(tmp_path / "run"), "--epochs", "5")
    assert told["comparison"]["low"] > 0

    photos = sorted((gallery_dir / "fruit").iterdir())
    monkeypatch.setenv("INDEXER_MODEL", told["model"])
    arguments = ["build", "--images", str(photos[0].parent), "--store", str(tmp_path / "store")]
    assert indexer_main(arguments) == 0
    settings = ExtractorSettings(store_dir=tmp_path / "store", port=0, threads=1)
    load = partial(load_backbone, StoreLayout(tmp_path / "store").models_dir, threads=1)
    async with running(settings, load) as service:
        index = await service.stub.GetIndex(search_pb2.GetIndexRequest())
        query = search_pb2.ImageFile(content=photos[0].read_bytes())
        found = await service.stub.Search(search_pb2.SearchRequest(image=query, limit=3))
    assert index.model_digest == told["sha256"]
    assert found.hits[0].path == photos[0].name
    assert found.hits[0].distance < 0.05
