"""Describing on a real Dask cluster, with workers that are processes of their own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from imagesearch.store.snapshot import current_version
from indexer.cluster import client
from indexer.errors import ClusterUnavailable
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_damaged, draw_many

dask = pytest.importorskip("dask", reason="needs requirements/dask.txt")
distributed = pytest.importorskip("distributed", reason="needs requirements/dask.txt")

PHOTOS = range(60)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        yield cluster


@pytest.fixture
def photos(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setattr(client, "CHUNK", 5)
    draw_many(workplace.images, PHOTOS)
    draw_damaged(workplace.images / "damaged.png")
    (workplace.images / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return workplace


def contents(workplace: Workplace) -> dict[str, str]:
    """By its name, the digest of each file of the live snapshot that is the same for the same photos."""
    version = current_version(workplace.layout)
    assert version is not None
    directory = workplace.layout.snapshot_dir(version)
    names = [*directory.glob("*.npy"), *workplace.layout.thumbnails_dir.rglob("*.webp")]
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in names}


def undisturbed(photos: Workplace, tmp_path: Path) -> dict[str, str]:
    alone = Workplace(photos.images, tmp_path / "alone")
    alone.build()
    return contents(alone)


def test_a_cluster_makes_the_store_that_one_machine_makes(
    photos: Workplace, cluster: Any, tmp_path: Path
) -> None:
    summary = photos.build(dask=cluster.scheduler_address)
    assert (summary.described, summary.refused) == (len(PHOTOS) + 1, 1)
    assert contents(photos) == undisturbed(photos, tmp_path)


def test_a_worker_that_is_killed_again_and_again_loses_nothing_also_where_photos_travel(
    photos: Workplace, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.Cluster, "_sees", lambda *_: False)
    killed: list[int] = []

    def kill_one_now_and_then() -> None:
        while len(killed) < 3:
            time.sleep(0.3)
            process = cluster.workers[0].process
            if process is not None and process.pid not in (None, *killed):
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)

    killing = threading.Thread(target=kill_one_now_and_then)
    killing.start()
    photos.build(dask=cluster.scheduler_address)
    killing.join()
    assert contents(photos) == undisturbed(photos, tmp_path)


def test_without_a_scheduler_it_ends_with_one_sentence_and_goes_on_where_it_was(
    photos: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_S", 0.5)
    with pytest.raises(ClusterUnavailable, match="goes on from there"):
        photos.build(dask="tcp://127.0.0.1:9")
    assert photos.build().described == len(PHOTOS) + 1
