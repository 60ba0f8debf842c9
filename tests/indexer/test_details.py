"""Local features, which come in a second pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagesearch.local_features import LocalFeatures, RootSift
from imagesearch.local_features.codes import from_codes, to_codes
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.store.ledger import Ledger
from imagesearch.store.snapshot import Snapshot, current_version
from indexer import build as building
from indexer import details
from indexer.inspection import damage
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many, draw_texture


def features_by_path(workplace: Workplace) -> dict[str, LocalFeatures]:
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.local_features is not None
        records = enumerate(snapshot.records(list(range(snapshot.manifest.rows))))
        return {record.paths[0]: snapshot.local_features.features(row) for row, record in records}


def expected(workplace: Workplace, path: str) -> LocalFeatures:
    rgb = decode((workplace.images / path).read_bytes(), ImageLimits(10**6, 10**6)).rgb
    found = RootSift.to_verify(upright=False).extract(rgb)
    return from_codes(to_codes(found), found.width_px, found.height_px)


def test_every_photo_has_them_those_that_come_later_too(workplace: Workplace) -> None:
    draw_texture(workplace.images / "0.png", 0)
    workplace.build(local_features=True)
    draw_texture(workplace.images / "1.png", 1)
    draw(workplace.images / "2.png", 2)
    workplace.build(local_features=True)
    kept = features_by_path(workplace)
    assert sorted(kept) == ["0.png", "1.png", "2.png"]
    for path, features in kept.items():
        np.testing.assert_array_equal(features.positions, expected(workplace, path).positions)
        np.testing.assert_array_equal(features.root_sift, expected(workplace, path).root_sift)
        assert (len(features) > 50) == (path != "2.png")
    assert damage(workplace.layout, workplace.networks) == []


def test_many_photos_can_be_searched_before_they_have_them(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "DETAILED_AT_ONCE", 2)
    published = []

    def find(*arguments: Any) -> None:
        with Snapshot.open(workplace.layout) as snapshot:
            published.append((snapshot.manifest.count, snapshot.manifest.local_features))
        details.find_local_features(*arguments)

    monkeypatch.setattr(building, "find_local_features", find)
    draw_many(workplace.images, range(3))
    workplace.build(local_features=True)
    assert published == [(3, False)]
    assert len(features_by_path(workplace)) == 3


def test_an_older_store_gets_them_without_a_photo_described_again(workplace: Workplace) -> None:
    draw_texture(workplace.images / "0.png", 0)
    workplace.build()
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.local_features is None
    summary = workplace.build(local_features=True)
    assert (summary.described, summary.published) == (0, True)
    assert len(features_by_path(workplace)["0.png"]) > 50


def test_what_was_found_before_a_kill_is_not_looked_for_again(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "BATCH", 2)
    for seed in range(6):
        draw_texture(workplace.images / f"{seed}.png", seed)
    add = Ledger.add_local_features

    def add_once_and_stop(ledger: Ledger, found: Mapping[str, bytes]) -> None:
        add(ledger, found)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Ledger, "add_local_features", add_once_and_stop)
        workplace.build(local_features=True)
    with Ledger.open(workplace.layout.ledger_path) as ledger:  # type: ignore[union-attr]
        assert len(ledger.without_local_features()) == 4
    workplace.build(local_features=True)
    kept = features_by_path(workplace)
    assert len(kept) == 6
    assert all(len(features) > 50 for features in kept.values())


def test_a_file_that_has_become_another_is_left_to_the_next_build(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*arguments: Any) -> None:
        draw_texture(workplace.images / "0.png", 7)
        details.find_local_features(*arguments)

    for seed in range(2):
        draw_texture(workplace.images / f"{seed}.png", seed)
    with monkeypatch.context() as patched:
        patched.setattr(building, "find_local_features", find)
        workplace.build(local_features=True)
    assert sorted(map(len, features_by_path(workplace).values()))[0] == 0
    workplace.build(local_features=True)
    kept = features_by_path(workplace)
    np.testing.assert_array_equal(kept["0.png"].root_sift, expected(workplace, "0.png").root_sift)


def test_nothing_is_published_again_where_nothing_is_new(workplace: Workplace) -> None:
    draw_texture(workplace.images / "0.png", 0)
    Image.new("RGB", (40, 30)).save(workplace.images / "black.png")
    workplace.build(local_features=True)
    version = current_version(workplace.layout)
    assert not workplace.build(local_features=True).published
    assert current_version(workplace.layout) == version


def test_photos_added_without_them_get_them_when_they_are_wanted(workplace: Workplace) -> None:
    draw_texture(workplace.images / "0.png", 0)
    workplace.build(local_features=True)
    draw_texture(workplace.images / "1.png", 1)
    workplace.build(local_features=False)
    assert len(features_by_path(workplace)["1.png"]) == 0
    workplace.build(local_features=True)
    assert len(features_by_path(workplace)["1.png"]) > 50


def test_soon_after_another_run_only_what_is_new_is_looked_at(workplace: Workplace) -> None:
    draw_texture(workplace.images / "0.png", 0)
    workplace.build()
    draw_texture(workplace.images / "1.png", 1)
    workplace.build(local_features=True, again=True)
    kept = features_by_path(workplace)
    assert len(kept["0.png"]) == 0
    assert len(kept["1.png"]) > 50
