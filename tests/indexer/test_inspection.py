from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imagesearch.backbones.base import Card, ModelIdentity
from imagesearch.backbones.cards import VGG16
from imagesearch.backbones.converted import exclusively, file_names, publish
from imagesearch.errors import StoreMissing
from imagesearch.store.indexing import Indexing, write_indexing
from imagesearch.store.layout import StoreLayout
from indexer import inspection
from indexer.console import status_text
from tests.indexer.conftest import Workplace
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw_many


@pytest.fixture
def layout(workplace: Workplace) -> StoreLayout:
    draw_many(workplace.images, range(6))
    workplace.build()
    return workplace.layout


def damage(layout: StoreLayout) -> list[str]:
    return inspection.damage(layout, FakeNetworks())


def test_a_fresh_store_is_whole(layout: StoreLayout) -> None:
    assert damage(layout) == []


HARMS: dict[str, tuple[Callable[[StoreLayout], object], str]] = {
    "CURRENT is garbage": (lambda layout: layout.current_path.write_text("latest"), "CURRENT"),
    "CURRENT names nothing": (lambda layout: layout.current_path.write_text("000007"), "000007"),
    "no manifest": (lambda layout: (layout.snapshot_dir("000001") / "manifest.json").unlink(), "manifest"),
    "no catalogue": (
        lambda layout: (layout.snapshot_dir("000001") / "images.sqlite3").unlink(),
        "images.sqlite3",
    ),
    "no thumbnails": (lambda layout: layout.thumbnails_dir.rename(layout.root / "away"), "6 thumbnails"),
    "ledger overwritten": (lambda layout: layout.ledger_path.write_bytes(b"x" * 9_000), "ledger"),
    "ledger cut": (
        lambda layout: layout.ledger_path.write_bytes(layout.ledger_path.read_bytes()[:-9_000]),
        "ledger",
    ),
}


@pytest.mark.parametrize("harm", HARMS)
def test_every_kind_of_damage_is_reported(layout: StoreLayout, harm: str) -> None:
    do, expected = HARMS[harm]
    do(layout)
    found = damage(layout)
    assert found and any(expected in sentence for sentence in found)


def test_damage_to_an_old_snapshot_is_reported_too(workplace: Workplace, layout: StoreLayout) -> None:
    draw_many(workplace.images, range(6, 8))
    workplace.build()
    (layout.snapshot_dir("000001") / "calibration.npy").write_bytes(b"")
    assert [sentence for sentence in damage(layout) if "000001/calibration.npy" in sentence]


def test_no_store_is_not_a_whole_store(workplace: Workplace) -> None:
    with pytest.raises(StoreMissing):
        damage(workplace.layout)


def test_damage_to_the_live_snapshot_is_told_once(layout: StoreLayout) -> None:
    (layout.snapshot_dir("000001") / "manifest.json").unlink()
    assert len(damage(layout)) == 1


def test_a_lost_or_damaged_model_is_told_of(layout: StoreLayout) -> None:
    networks = FakeNetworks(lost={"fake"})
    assert inspection.damage(layout, networks) == ["The store lacks the model fake."]
    identity = ModelIdentity("vgg16", "ab" * 32, "p-1")

    def write_ir(folder: Path) -> Card:
        for name in file_names(VGG16):
            (folder / name).write_bytes(name.encode())
        return VGG16

    with exclusively(layout.models_dir):
        model = publish(layout.models_dir, identity, own_weights=True, write=write_ir)
    assert damage(layout) == []
    (model.folder / "fc6.bin").write_bytes(b"fc6.bim")
    [sentence] = damage(layout)
    assert model.folder.name in sentence
    assert "fc6.bin has another content" in sentence


def test_the_status_tells_how_far_the_indexer_at_work_is(layout: StoreLayout) -> None:
    assert "at work" not in status_text(inspection.status(layout))
    write_indexing(layout, Indexing("describing", 20, 300, 12.5, "2026-01-31T12:00:00Z"))
    assert "An indexer is at work: describing, 20 of 300." in status_text(inspection.status(layout))
