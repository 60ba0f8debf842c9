"""Every descriptor from the folder of photos to the answer of a search, without a transport."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from extractor_service.search.queries import FileQuery, SearchOptions, StoredQuery, VectorQuery
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import ExtractorSettings
from imagesearch.backbones import Backbone, ModelIdentity, Precision
from imagesearch.descriptors.choices import LOCAL_KINDS
from imagesearch.descriptors.pooled import POOLINGS
from imagesearch.errors import InvalidOption, ModelMismatch
from imagesearch.pictures.region import Region
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.inspection import damage
from tests.extractor_service.serving import png, textured
from tests.fakes import FAKE_KINDS, FakeBackbone
from tests.indexer.conftest import Workplace

PHOTOS = 24
SMALL: dict[str, Any] = {"long_side_px": 96, "words": 8}


@pytest.fixture
def folder(workplace: Workplace) -> Workplace:
    """Textured photos, and one without any feature."""
    for seed in range(PHOTOS):
        (workplace.images / f"{seed:02d}.png").write_bytes(png(textured(seed)))
    (workplace.images / "flat.png").write_bytes(png(Image.new("RGB", (64, 48), "teal")))
    return workplace


def load(identity: ModelIdentity, precision: Precision) -> Backbone:
    return FakeBackbone()


@asynccontextmanager
async def searching(workplace: Workplace) -> AsyncIterator[SearchCore]:
    settings = ExtractorSettings(
        store_dir=workplace.store, images_dir=workplace.images, threads=1, decode_workers=1,
        verify_budget_ms=60_000,
    )  # fmt: skip
    core = SearchCore(settings, load)
    try:
        await core.live.refresh()
        yield core
    finally:
        core.close()


@pytest.mark.parametrize("kind", FAKE_KINDS)
async def test_a_photo_finds_itself_by_every_way_to_ask(folder: Workplace, kind: str) -> None:
    folder.build(descriptor=kind, model="fake", **SMALL)
    content = (folder.images / "07.png").read_bytes()
    upper = Region(0, 0, 1, 0.5)
    async with searching(folder) as core:
        search, extract = core.engine.search, core.engine.extract
        whole = await search(FileQuery(content), SearchOptions(limit=3))
        exact = await search(FileQuery(content), SearchOptions(limit=3, exact=True))
        wider = await search(FileQuery(content), SearchOptions(limit=3, expand=True))
        vector = VectorQuery((await extract(FileQuery(content), None)).values)
        by_vector = await search(vector, SearchOptions(limit=3))
        image_id = whole.hits[0].record.image_id
        others = await search(StoredQuery(image_id), SearchOptions(limit=100))
        part = await search(StoredQuery(image_id), SearchOptions(region=upper, limit=100))
    assert whole.index.descriptor == kind
    for answer in (whole, exact, by_vector):
        assert answer.hits[0].record.paths == ("07.png",)
    assert [hit.distance for hit in wider.hits] != [hit.distance for hit in whole.hits]
    assert whole.hits[0].distance < 0.02
    assert whole.hits[0].score is not None and whole.hits[0].score > 0.99
    assert [hit.record for hit in exact.hits] == [hit.record for hit in whole.hits]
    assert len(others.hits) == len(part.hits) == PHOTOS
    scores = [hit.score for hit in others.hits if hit.score is not None]
    assert len(scores) == PHOTOS
    assert scores == sorted(scores, reverse=True)
    assert [hit.distance for hit in part.hits] != [hit.distance for hit in others.hits]


@pytest.mark.parametrize("kind", LOCAL_KINDS)
async def test_descriptors_of_local_features_see_parts_and_turns_and_need_no_network(
    folder: Workplace, kind: str
) -> None:
    folder.build(descriptor=kind, **SMALL)
    assert folder.networks.prepared == folder.networks.loaded == []
    part = png(textured(5).crop((0, 0, 200, 240)).rotate(180))
    async with searching(folder) as core:
        options = SearchOptions(limit=5, verify=True, expand=True)
        found = await core.engine.search(FileQuery(part), options)
        flat = await core.engine.search(
            FileQuery(png(Image.new("RGB", (20, 20)))), SearchOptions(limit=1, verify=True)
        )
    assert found.hits[0].record.paths == ("05.png",)
    assert found.hits[0].match is not None
    assert found.index.model == "rootsift"
    assert flat.hits[0].record.paths == ("flat.png",)


@pytest.mark.parametrize("kind", ["rmac", "bof", "vlad"])
def test_an_addition_is_described_by_what_the_store_has_learnt(folder: Workplace, kind: str) -> None:
    folder.build(descriptor=kind, model="fake", local_features=True, **SMALL)
    before = folder.indexed()
    with Snapshot.open(folder.layout) as snapshot:
        learnt = {name: entry for name, entry in snapshot.manifest.files.items() if name.endswith(".npz")}
    (folder.images / "copy.png").write_bytes(png(ImageEnhance.Brightness(textured(3)).enhance(0.9)))
    folder.build(descriptor=kind)
    with Snapshot.open(folder.layout) as snapshot:
        files = snapshot.manifest.files
        assert {name: entry for name, entry in files.items() if name.endswith(".npz")} == learnt
        assert len(snapshot.manifest.segment_rows) == 2
    after = folder.indexed()
    for path, row in before.items():
        np.testing.assert_array_equal(after[path], row)
    cosines = {path: float(after["copy.png"] @ row) for path, row in before.items()}
    assert max(cosines, key=lambda path: cosines[path]) == "03.png"
    assert damage(folder.layout, folder.networks) == []


@pytest.mark.parametrize("kind", ["spoc", "mac", "gem", "bof", "vlad"])
def test_few_photos_are_indexed_and_it_is_said_what_could_not_be_learnt(
    workplace: Workplace, kind: str
) -> None:
    for seed in range(3):
        (workplace.images / f"{seed}.png").write_bytes(png(textured(seed)))
    workplace.build(descriptor=kind, model="fake", long_side_px=96)
    with Snapshot.open(workplace.layout) as snapshot:
        note = snapshot.manifest.encoding_note
    assert "few" in note
    assert json.loads((workplace.layout.snapshot_dir("000001") / "manifest.json").read_text())


def test_temb_refuses_photos_without_features_to_learn_from(workplace: Workplace) -> None:
    (workplace.images / "flat.png").write_bytes(png(Image.new("RGB", (64, 48), "teal")))
    with pytest.raises(InvalidOption, match="there are 0"):
        workplace.build(descriptor="temb")


@pytest.mark.parametrize("kind", POOLINGS)
@pytest.mark.parametrize(
    "changed", [{"long_side_px": 128}, {"multi_scale": True}, {"whitening": False}, {"descriptor": "fc6"}]
)
def test_a_store_keeps_to_the_settings_of_its_descriptor(
    workplace: Workplace, kind: str, changed: dict[str, Any]
) -> None:
    (workplace.images / "0.png").write_bytes(png(textured(0)))
    workplace.build(descriptor=kind, model="fake", long_side_px=96)
    with pytest.raises(ModelMismatch, match="built with"):
        workplace.build(**{"descriptor": kind, **changed})
    assert workplace.build(descriptor=kind).kept == 1


def test_another_stores_words_can_be_taken(folder: Workplace, tmp_path: Path) -> None:
    folder.build(descriptor="vlad", **SMALL)
    few = Workplace(tmp_path / "few", tmp_path / "few store")
    few.images.mkdir()
    (few.images / "05.png").write_bytes(png(textured(5)))
    few.build(descriptor="vlad", learnt_from=folder.store, **SMALL)
    np.testing.assert_array_equal(few.indexed()["05.png"], folder.indexed()["05.png"])
    with pytest.raises(ModelMismatch, match="describes photos otherwise"):
        few.build(descriptor="bof", learnt_from=folder.store, rebuild=True)


def test_upright_features_are_kept_by_the_store(folder: Workplace) -> None:
    folder.build(descriptor="vlad", upright=True, **SMALL)
    with Snapshot.open(StoreLayout(folder.store)) as snapshot:
        assert snapshot.manifest.recipe.upright
        assert snapshot.local_features is not None
        assert not snapshot.local_features.features(1).orientations.any()
