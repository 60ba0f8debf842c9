"""Whatever happened to a folder, in whatever order: its store equals one that is built from what is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from imagesearch.index.exact import ExactIndex
from imagesearch.store.snapshot import Snapshot
from indexer.build import build
from indexer.inspection import damage
from indexer.settings import IndexerSettings
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many

FIRST_PHOTOS = range(24)
"""Enough that one more photo, or one less, is a small change, which is added to what is published."""
NAMES = st.sampled_from([f"{folder}{name}.png" for folder in ("", "0/", "new/") for name in ("a", "b", "c")])
SEEDS = st.integers(20, 32)
"""Some of photos that are there already: the same bytes at another path."""


class Folder(RuleBasedStateMachine):
    """A folder of photos that changes, and its store."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        (self.root / "images").mkdir()
        self.workplace = Workplace(self.root / "images", self.root / "store")
        self.writes = 0

    @initialize()
    def fill(self) -> None:
        draw_many(self.workplace.images, FIRST_PHOTOS)
        self.workplace.build(workers=1)

    @rule(name=NAMES, seed=SEEDS)
    def write(self, name: str, seed: int) -> None:
        """Adds a photo, or puts other bytes at the path of one."""
        draw(self.workplace.images / name, seed)
        self._touch(name)

    @rule(name=NAMES)
    def write_no_photo(self, name: str) -> None:
        path = self.workplace.images / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
        self._touch(name)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        (self.workplace.images / self._one(data)).unlink()

    @rule(data=st.data(), name=NAMES)
    def move(self, data: st.DataObject, name: str) -> None:
        path = self.workplace.images / name
        path.parent.mkdir(exist_ok=True)
        (self.workplace.images / self._one(data)).rename(path)

    @rule(data=st.data(), name=NAMES)
    def copy(self, data: st.DataObject, name: str) -> None:
        source = self.workplace.images / self._one(data)
        path = self.workplace.images / name
        if source != path:
            path.parent.mkdir(exist_ok=True)
            shutil.copy2(source, path)

    @rule(photos=st.integers(0, 2))
    def interrupt(self, photos: int) -> None:
        """Begins to index, and is interrupted after some photos."""
        given = IndexerSettings(images_dir=self.workplace.images, store_dir=self.workplace.store, workers=1)
        with suppress(KeyboardInterrupt):
            build(given, self.workplace.networks, interrupting(photos))

    @precondition(lambda self: self.writes > 0)
    @rule()
    def index(self) -> None:
        self.workplace.build(workers=1, accept_loss=True, keep_missing_days=30)
        fresh = Workplace(self.workplace.images, self.root / "fresh")
        fresh.build(workers=1)
        assert contents(self.workplace) == contents(fresh)
        assert damage(self.workplace.layout, self.workplace.networks) == []
        shutil.rmtree(fresh.store)

    def teardown(self) -> None:
        if self.writes:
            self.index()
        shutil.rmtree(self.root)

    def _one(self, data: st.DataObject) -> str:
        images = self.workplace.images
        paths = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.png"))
        self.writes += 1
        return data.draw(st.sampled_from(paths))

    def _touch(self, name: str) -> None:
        """Gives the file a time of its own: a file system's clock may stand still between two writes."""
        self.writes += 1
        os.utime(self.workplace.images / name, ns=(0, 10**18 + self.writes))


def interrupting(photos: int) -> Callable[[int], Any]:
    """A progress bar that interrupts the program once more than so many photos are settled."""

    @contextmanager
    def show_progress(total: int) -> Iterator[Callable[[int], object]]:
        settled = 0

        def advance(count: int) -> None:
            nonlocal settled
            settled += count
            if settled > photos:
                raise KeyboardInterrupt

        yield advance

    return show_progress


def contents(workplace: Workplace) -> dict[str, Any]:
    """All that a search can see of a store."""
    thumbnails = {path.stem for path in workplace.layout.thumbnails_dir.rglob("*.webp")}
    with Snapshot.open(workplace.layout) as snapshot:
        images = snapshot.page("", 1_000)
        rows = [snapshot.row_of(image.image_id) for image in images]
        descriptors = snapshot.descriptors[np.array(rows)]
        found = ExactIndex(snapshot.descriptors, 1).search(descriptors.astype(np.float32), 3)
        return {
            "images": images,
            "descriptors": descriptors.tobytes(),
            "distances": found.distances.tobytes(),
            "refused": [(file.path, file.reason) for file in snapshot.refused(100)],
            "thumbnails": sorted(thumbnails & {image.image_id for image in images}),
        }


def test_a_store_after_any_history_equals_a_new_one() -> None:
    run_state_machine_as_test(
        Folder,
        settings=settings(
            max_examples=int(os.environ.get("HISTORIES", "12")),
            stateful_step_count=10,
            deadline=None,
            derandomize="HISTORIES" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
