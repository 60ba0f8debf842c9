"""A first build can be searched before it is done."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import NotEnoughMemory
from imagesearch.store.snapshot import Snapshot, current_version
from imagesearch.store.versions import versions
from indexer import early
from indexer.inspection import damage
from indexer.intake import BATCH
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_many
from tests.indexer.test_interruptions import (
    assert_same,
    described_so_far,
    kill,
    start,
    wait_until_described,
)


@pytest.fixture(autouse=True)
def _at_every_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_S", "REST_S"):
        monkeypatch.setattr(early, name, 0.0)
    monkeypatch.setattr(early, "MAX_SHARE", float("inf"))


@pytest.fixture
def seen(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Version and count of each snapshot that was live between two batches."""
    seen: list[tuple[str, int]] = []

    class Watched(early.EarlyPublication):
        def __call__(self) -> None:
            super().__call__()
            with Snapshot.open(workplace.layout) as snapshot:
                seen.append((snapshot.manifest.version, snapshot.manifest.count))

    monkeypatch.setattr("indexer.build.EarlyPublication", Watched)
    return seen


def test_it_grows_by_whole_snapshots_and_ends_as_if_there_had_been_none(
    workplace: Workplace, seen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    draw_many(workplace.images, range(3 * BATCH + 5))
    summary = workplace.build()
    assert [count for _, count in seen] == [BATCH, 2 * BATCH, 3 * BATCH, 3 * BATCH + 5]
    assert (summary.snapshot, summary.published, summary.added) == ("000005", True, 3 * BATCH + 5)
    assert versions(workplace.layout) == ["000005"]
    assert damage(workplace.layout, workplace.networks) == []
    assert not workplace.build().published

    monkeypatch.setattr(early, "FIRST_S", 1_000.0)
    undisturbed = Workplace(workplace.images, tmp_path / "undisturbed")
    undisturbed.build()
    before, after = undisturbed.indexed(), workplace.indexed()
    assert before.keys() == after.keys()
    for path, descriptor in before.items():
        np.testing.assert_array_equal(descriptor, after[path])
    with Snapshot.open(workplace.layout) as one, Snapshot.open(undisturbed.layout) as other:
        assert one.manifest.index == other.manifest.index
        assert one.manifest.segment_rows == other.manifest.segment_rows


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_an_interrupted_build_has_published_is_searched_until_the_next_is_done(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(2 * BATCH))
    with monkeypatch.context() as interrupted:
        interrupted.setattr("indexer.build.publish_if_behind", interrupt)
        with pytest.raises(KeyboardInterrupt):
            workplace.build()
    assert len(workplace.indexed()) == 2 * BATCH
    monkeypatch.setattr(early, "FIRST_S", 1_000.0)
    assert workplace.build().published
    assert versions(workplace.layout) == ["000003"]
    assert not workplace.build().published


def test_a_few_new_photos_are_added_to_what_is_published(
    workplace: Workplace, seen: list[tuple[str, int]]
) -> None:
    count = 12 * BATCH
    draw_many(workplace.images, range(count))
    workplace.build()
    seen.clear()
    draw_many(workplace.images, range(count, count + BATCH + 1))
    workplace.build()
    assert [count for _, count in seen] == [count + BATCH, count + BATCH + 1]
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.manifest.segment_rows == [count, BATCH, 1]


def test_photos_that_go_at_the_end_of_the_run_are_no_hindrance(
    workplace: Workplace, seen: list[tuple[str, int]]
) -> None:
    draw_many(workplace.images, range(5))
    workplace.build()
    (workplace.images / "0/0000.png").unlink()
    draw_many(workplace.images, range(5, 25))
    assert workplace.build().images == 24
    assert seen[-1][1] == 25
    assert len(workplace.indexed()) == 24
    assert damage(workplace.layout, workplace.networks) == []


def test_a_rebuild_leaves_the_whole_index_live_until_it_is_done(
    workplace: Workplace, seen: list[tuple[str, int]]
) -> None:
    draw_many(workplace.images, range(BATCH + 1))
    workplace.build()
    seen.clear()
    assert workplace.build(rebuild=True).described == BATCH + 1
    assert seen == []


def test_too_little_memory_for_now_does_not_end_the_build(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise NotEnoughMemory("Just now there is too little.")

    draw_many(workplace.images, range(3))
    monkeypatch.setattr(early, "publish_so_far", fail)
    assert workplace.build().images == 3
    assert current_version(workplace.layout) == "000001"


def test_thumbnails_of_all_that_can_be_searched_are_there(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: list[str] = []

    class Watched(early.EarlyPublication):
        def __call__(self) -> None:
            super().__call__()
            with Snapshot.open(workplace.layout) as snapshot:
                missing.extend(
                    image.image_id
                    for image in snapshot.page("", 1_000)
                    if not workplace.layout.thumbnail_path(image.image_id).is_file()
                )

    monkeypatch.setattr("indexer.build.EarlyPublication", Watched)
    draw_many(workplace.images, range(2 * BATCH))
    workplace.build()
    assert missing == []


def test_killed_at_any_time_what_is_live_is_whole_and_the_next_run_ends_as_if_undisturbed(
    workplace: Workplace, tmp_path: Path
) -> None:
    draw_many(workplace.images, range(8 * BATCH))
    rng = random.Random(5)
    counts = [0]
    for _ in range(3):
        process = start(workplace, EARLY_AT_ONCE="1", FAKE_BATCH_S="0.05")
        wait_until_described(workplace, described_so_far(workplace) + 2 * BATCH, process)
        time.sleep(rng.uniform(0, 0.3))
        kill(process)
        if current_version(workplace.layout):
            counts.append(len(workplace.indexed()))
    assert counts == sorted(counts) and len(set(counts)) > 1
    workplace.build()
    undisturbed = Workplace(workplace.images, tmp_path / "undisturbed")
    undisturbed.build()
    assert_same(workplace, undisturbed)
    assert damage(workplace.layout, workplace.networks) == []
    assert not workplace.build().published
