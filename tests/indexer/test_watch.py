"""The program that follows a folder, and what it publishes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.errors import StoreError
from imagesearch.store.snapshot import current_version
from imagesearch.store.versions import versions
from indexer.inspection import damage
from indexer.steady import SETTLE_S
from tests.conftest import REPOSITORY
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many

PATIENCE_S = 60.0


@contextmanager
def watching(
    workplace: Workplace, signum: signal.Signals = signal.SIGTERM, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """The program at work; at the end it is asked to stop, and must do so cleanly."""
    given = {
        "INDEXER_IMAGES_DIR": str(workplace.images),
        "INDEXER_STORE_DIR": str(workplace.store),
        "INDEXER_WORKERS": "1",
    }
    command = [sys.executable, "-m", "tests.indexer.fake_networks", "watch"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=os.environ | given | environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
        process.send_signal(signum)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
    finally:
        process.kill()
        process.communicate()


def indexed(workplace: Workplace) -> dict[str, NDArray[np.float16]]:
    try:
        return workplace.indexed()
    except StoreError:  # nothing yet, or superseded just now
        return {}


def names(workplace: Workplace) -> set[str]:
    return set(indexed(workplace))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_comes_changes_and_goes_is_published(workplace: Workplace) -> None:
    draw_many(workplace.images, range(4))
    first = {f"{seed % 3}/{seed:04d}.png" for seed in range(4)}
    with watching(workplace):
        wait_until(lambda: names(workplace) == first)
        before = indexed(workplace)["1/0001.png"]
        draw(workplace.images / "new folder" / "new.png", 100)
        wait_until(lambda: names(workplace) == first | {"new folder/new.png"})
        (workplace.images / "new folder").rename(workplace.images / "renamed")
        wait_until(lambda: names(workplace) == first | {"renamed/new.png"})
        draw(workplace.images / "1/0001.png", 101)
        wait_until(lambda: not np.array_equal(indexed(workplace).get("1/0001.png", before), before))
        (workplace.images / "0/0000.png").unlink()
        wait_until(lambda: names(workplace) == (first | {"renamed/new.png"}) - {"0/0000.png"})
        wait_until(lambda: len(versions(workplace.layout)) == 2)
    assert damage(workplace.layout, workplace.networks) == []
    assert not workplace.build().published


def test_a_half_copied_file_waits_until_it_is_whole(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    draw(workplace.store.parent / "source.bmp", 100, "BMP")
    content = (workplace.store.parent / "source.bmp").read_bytes()
    with watching(workplace):
        wait_until(lambda: len(names(workplace)) == 3)
        with (workplace.images / "copied.bmp").open("wb", buffering=0) as copy:
            for start in range(0, len(content), len(content) // 8):
                written = time.monotonic()
                copy.write(content[start : start + len(content) // 8])
                time.sleep(0.5)
                is_published = current_version(workplace.layout) != "000001"
                if time.monotonic() - written > SETTLE_S / 2:
                    break  # this machine is too busy for a copy that goes on
                assert not is_published
            copy.write(content[copy.tell() :])
        wait_until(lambda: "copied.bmp" in names(workplace))
    summary = workplace.build()
    assert (summary.refused, summary.damaged, summary.published) == (0, 0, False)


def test_a_vanished_folder_drops_nothing_and_is_followed_when_it_returns(workplace: Workplace) -> None:
    draw_many(workplace.images, range(12))
    with watching(workplace):
        wait_until(lambda: len(names(workplace)) == 12)
        workplace.images.rename(workplace.store.parent / "away")
        workplace.images.mkdir()
        time.sleep(3)
        assert len(names(workplace)) == 12
        workplace.images.rmdir()
        (workplace.store.parent / "away").rename(workplace.images)
        draw(workplace.images / "new.png", 100)
        wait_until(lambda: len(names(workplace)) == 13)
        shutil.move(workplace.images / "0", workplace.store.parent / "0")
        draw(workplace.images / "newer.png", 101)
        wait_until(lambda: "newer.png" in names(workplace))


def test_photos_may_come_later_than_the_program(workplace: Workplace) -> None:
    with watching(workplace):
        time.sleep(2)
        draw(workplace.images / "first.png", 1)
        wait_until(lambda: names(workplace) == {"first.png"})


def test_a_store_within_the_folder_is_no_change(workplace: Workplace) -> None:
    draw_many(workplace.images, range(3))
    inside = Workplace(workplace.images, workplace.images / "store")
    with watching(inside):
        wait_until(lambda: len(names(inside)) == 3)
        time.sleep(3)
        assert current_version(inside.layout) == "000001"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_soon_while_it_describes(workplace: Workplace, signum: signal.Signals) -> None:
    draw_many(workplace.images, range(200))
    with watching(workplace, signum, FAKE_BATCH_S="1"):
        wait_until(lambda: workplace.layout.indexing_path.exists())
    assert workplace.build().added > 0


def test_a_folder_that_is_not_there_ends_it_at_once(workplace: Workplace) -> None:
    workplace.images.rmdir()
    command = [
        sys.executable,
        "-m",
        "tests.indexer.fake_networks",
        "watch",
        "--images",
        str(workplace.images),
    ]
    done = subprocess.run(
        [*command, "--store", str(workplace.store)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "There is no folder" in done.stderr
    assert not workplace.store.exists()
