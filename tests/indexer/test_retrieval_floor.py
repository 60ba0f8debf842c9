"""How well the sample pictures find each other: what makes a descriptor or a ranking worse fails here.

The ground truth knows which pictures show the same scene: of each kind 5 scenes, of each scene 4 views.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from functools import partial
from pathlib import Path

import pytest

from benchmarks.retrieval import GroundTruth, evaluate
from extractor_service.search.queries import SearchOptions, StoredQuery
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import ExtractorSettings
from imagesearch.backbones import load_backbone
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.__main__ import main
from samples.gallery import GROUND_TRUTH
from samples.scenes import KINDS

NETWORK = "efficientnet-lite0"
"""The one that a machine has which reaches no weights."""
VERIFIED_KINDS = ("tiles",)
"""Local features take a while: these pictures alone are verified, with one view of each scene as a query."""


def built(images: Path, store: Path, **settings: str) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({"model": NETWORK} | settings).items():
            patch.setenv(f"INDEXER_{name.upper()}", value)
        assert main(["build", "--images", str(images), "--store", str(store)]) == 0
    return store


def truth_of(gallery_dir: Path, kinds: Collection[str], views: Collection[int]) -> GroundTruth:
    """views: those that are queries."""
    listed = json.loads((gallery_dir / GROUND_TRUTH).read_text())["pictures"]
    pictures = [picture for picture in listed if picture["kind"] in kinds]
    scenes: dict[tuple[str, int], set[str]] = {}
    for picture in pictures:
        scenes.setdefault((picture["kind"], picture["instance"]), set()).add(picture["file"])
    relevant = {
        picture["file"]: frozenset(scenes[picture["kind"], picture["instance"]] - {picture["file"]})
        for picture in pictures
        if picture["view"] in views
    }
    return GroundTruth(tuple(picture["file"] for picture in pictures), relevant)


async def rankings(store: Path, images: Path, truth: GroundTruth, verify: bool) -> dict[str, list[str]]:
    layout = StoreLayout(store)
    settings = ExtractorSettings(store_dir=store, images_dir=images, verify_budget_ms=60_000)
    core = SearchCore(settings, partial(load_backbone, layout.models_dir, threads=1))
    try:
        await core.live.refresh()
        with Snapshot.open(layout) as snapshot:
            ids = {image.paths[0]: image.image_id for image in snapshot.page("", 1_000)}
        options = SearchOptions(limit=100, verify=verify)
        answers = {
            query: await core.engine.search(StoredQuery(ids[query]), options) for query in truth.relevant
        }
    finally:
        core.close()
    return {query: [hit.record.paths[0] for hit in answer.hits] for query, answer in answers.items()}


async def test_views_of_a_scene_find_each_other_by_the_default_descriptor(
    gallery_dir: Path, tmp_path: Path
) -> None:
    truth = truth_of(gallery_dir, KINDS, range(1, 5))
    store = built(gallery_dir, tmp_path / "store")
    quality = evaluate(truth, await rankings(store, gallery_dir, truth, verify=False))
    assert quality.mean_average_precision >= 0.95


async def test_verification_puts_the_same_scene_first(gallery_dir: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    for kind in VERIFIED_KINDS:
        shutil.copytree(gallery_dir / kind, images / kind)
    store = built(images, tmp_path / "store", local_features="true")
    truth = truth_of(gallery_dir, VERIFIED_KINDS, [1])
    quality = evaluate(truth, await rankings(store, images, truth, verify=True))
    assert quality.mean_average_precision >= 0.95
