"""A store whose vectors are in Milvus, here in a file of Milvus Lite: published, grown, pruned, mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagesearch.index.files import open_collection
from imagesearch.index.milvus.server import MilvusAddress, connected
from imagesearch.store.filters import Filter
from imagesearch.store.manifest import Manifest
from imagesearch.store.snapshot import Snapshot
from imagesearch.store.versions import prune
from indexer.collections import drop_unnamed, name_of
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many

pytest.importorskip("pymilvus", reason="needs requirements/milvus.txt")
pytest.importorskip("milvus_lite", reason="needs requirements/milvus.txt")


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesearch.index.kinds.MIN_ROWS", 20)


@pytest.fixture
def address(tmp_path: Path) -> MilvusAddress:
    return MilvusAddress(str(tmp_path / "vectors.db"))


def client_of(address: MilvusAddress) -> Any:
    return connected(address).client


def published(workplace: Workplace, address: MilvusAddress, **settings: Any) -> Manifest:
    workplace.build(index="milvus", milvus_uri=address.uri, **settings)
    version = workplace.layout.current_path.read_text().strip()
    return Manifest.read(workplace.layout.snapshot_dir(version))


def test_the_manifest_names_the_collection_and_an_alias_stands_beside_it(
    workplace: Workplace, address: MilvusAddress
) -> None:
    draw_many(workplace.images, range(40))
    first = published(workplace, address)
    assert (first.index.kind, first.index.entities) == ("milvus", 40)
    assert first.index.recall_at_10 is not None
    assert first.index.recall_at_10 >= 0.99
    alias = name_of(workplace.layout)
    assert client_of(address).describe_collection(alias)["collection_name"] == first.index.collection

    draw(workplace.images / "new.png", 99)
    grown = published(workplace, address)
    assert (grown.index.collection, grown.index.growth) == (first.index.collection, 1)
    assert grown.index.entities == 41


def test_a_collection_is_written_anew_although_photos_are_gone(
    workplace: Workplace, address: MilvusAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of deleted images are still among the descriptors of a snapshot that adds to another."""
    draw_many(workplace.images, range(40))
    first = published(workplace, address)
    (workplace.images / "0" / "0000.png").unlink()
    draw(workplace.images / "new.png", 99)
    monkeypatch.setattr("indexer.new_snapshot.extend_index", lambda *_: None)
    anew = published(workplace, address)
    assert anew.index.collection != first.index.collection
    assert (anew.count, anew.index.entities) == (40, 41)


def test_a_filter_is_asked_of_milvus_and_follows_a_photo_that_moves(
    workplace: Workplace, address: MilvusAddress
) -> None:
    draw_many(workplace.images, range(60))
    published(workplace, address)
    before = Snapshot.open(workplace.layout)
    (workplace.images / "1" / "0001.png").rename(workplace.images / "2" / "moved.png")
    published(workplace, address)
    after = Snapshot.open(workplace.layout)
    assert candidates_in(before, "1", address) == {f"1/{seed:04d}.png" for seed in range(1, 60, 3)}
    assert candidates_in(after, "1", address) >= {f"1/{seed:04d}.png" for seed in range(4, 60, 3)}
    assert candidates_in(after, "2", address) == {"2/moved.png", *(f"2/{n:04d}.png" for n in range(2, 60, 3))}
    assert candidates_in(after, "none", address) == set()
    before.close()
    after.close()


def candidates_in(snapshot: Snapshot, folder: str, address: MilvusAddress) -> set[str]:
    """The paths of all that Milvus gives of this folder."""
    report = snapshot.manifest.index
    codes = open_collection(address, report, snapshot.descriptors).within(Filter(folder))
    rows = codes.candidates(snapshot.descriptors[0].astype(np.float32), 60, 64)
    return {path for record in snapshot.records(rows.tolist()) for path in record.paths}


def test_prune_drops_the_collections_that_no_snapshot_names_and_no_others(
    workplace: Workplace, address: MilvusAddress
) -> None:
    draw_many(workplace.images, range(40))
    old = published(workplace, address).index.collection
    draw_many(workplace.images, range(40, 60))
    new = published(workplace, address).index.collection
    client = client_of(address)
    client.create_collection("images_of_somebody_else", dimension=4)
    assert drop_unnamed(workplace.layout, address) == []
    prune(workplace.layout, keep=1)
    assert drop_unnamed(workplace.layout, address) == [old]
    assert sorted(client.list_collections()) == sorted([new, "images_of_somebody_else"])


def test_a_collection_that_somebody_dropped_is_written_again_without_describing_a_photo(
    workplace: Workplace, address: MilvusAddress
) -> None:
    draw_many(workplace.images, range(40))
    lost = published(workplace, address).index.collection
    before = workplace.indexed()
    client_of(address).drop_alias(name_of(workplace.layout))
    client_of(address).drop_collection(lost)
    described = list(workplace.networks.loaded)
    mended = published(workplace, address)
    assert mended.index.collection != lost
    assert mended.index.entities == 40
    assert list(workplace.networks.loaded) == described
    assert workplace.indexed().keys() == before.keys()


def test_an_embedded_store_moves_into_milvus_and_back_without_describing_a_photo(
    workplace: Workplace, address: MilvusAddress
) -> None:
    draw_many(workplace.images, range(40))
    workplace.build()
    described = list(workplace.networks.loaded)
    assert published(workplace, address).index.kind == "milvus"
    workplace.build(index="exact")
    assert list(workplace.networks.loaded) == described
