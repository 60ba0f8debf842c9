"""Who reads the store is told how far the indexer is."""

from __future__ import annotations

import os
import time

import pytest

from imagesearch.store.indexing import STALE_S, Indexing, read_indexing, write_indexing
from indexer.intake import BATCH
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_many
from tests.indexer.test_interruptions import finish, kill, start


def watched(workplace: Workplace, until: float) -> list[Indexing]:
    """What is told until so many photos are done."""
    told: list[Indexing] = []
    deadline = time.monotonic() + 60
    while not told or told[-1].done < until:
        assert time.monotonic() < deadline
        now = read_indexing(workplace.layout)
        if now is not None and (not told or now != told[-1]):
            told.append(now)
        time.sleep(0.05)
    return told


def test_a_run_tells_how_far_it_is_and_leaves_nothing(workplace: Workplace) -> None:
    draw_many(workplace.images, range(6 * BATCH))
    process = start(workplace, FAKE_BATCH_S="0.7")
    told = watched(workplace, until=2 * BATCH)
    assert [now.done for now in told] == sorted(now.done for now in told)
    assert (told[-1].phase, told[-1].total) == ("describing", 6 * BATCH)
    assert 0 < told[-1].per_second < 1_000
    assert len({now.started_at for now in told}) == 1
    assert finish(process)[0] == 0
    assert read_indexing(workplace.layout) is None
    assert not workplace.layout.indexing_path.exists()


def test_of_a_killed_one_nothing_is_told_after_a_while(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2 * BATCH))
    process = start(workplace, FAKE_BATCH_S="1")
    watched(workplace, until=0)
    kill(process)
    assert read_indexing(workplace.layout) is not None
    long_ago = time.time() - STALE_S - 1
    os.utime(workplace.layout.indexing_path, (long_ago, long_ago))
    assert read_indexing(workplace.layout) is None


@pytest.mark.parametrize("text", ["", "[]", '{"phase": "describing"}', "\x00"])
def test_a_file_of_another_kind_tells_nothing(workplace: Workplace, text: str) -> None:
    workplace.store.mkdir()
    write_indexing(workplace.layout, Indexing("describing", 1, 2, 3.0, "2026-01-01T00:00:00Z"))
    assert read_indexing(workplace.layout) is not None
    workplace.layout.indexing_path.write_text(text)
    assert read_indexing(workplace.layout) is None
