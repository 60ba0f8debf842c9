"""Following the store: swapping without a dropped query, recovering from whatever is wrong with it."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

from extractor_service.live import live_index
from imagesearch.backbones.base import Backbone, ModelIdentity, NetworkInput, Precision
from imagesearch.errors import ModelDamaged, ModelUnavailable, VectorsUnavailable
from imagesearch.pictures.plans import SquareInput
from imagesearch.pictures.prepare import decode_query
from imagesearch.store import manifest
from imagesearch.store.durable import replace_file
from imagesearch.store.snapshot import Snapshot
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    LIMITS,
    Folder,
    GatedBackbone,
    Running,
    details_of,
    load_fake,
    photo,
    reason_of,
    running,
    settings_for,
    wait_until,
)
from tests.fakes import FakeBackbone

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class OtherBackbone(FakeBackbone):
    """Another network: coarser, and of another size."""

    identity = ModelIdentity(name="other", digest="e" * 64, preprocessing="fake-16-1")
    card = replace(FakeBackbone.card, input=NetworkInput(size_px=16))
    dim = 2 * 2 * 3

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        means = images.reshape(len(images), 2, 8, 2, 8, 3).mean(axis=(2, 4), dtype=np.float32)
        return np.asarray(means.reshape(len(images), -1), np.float32)


def load_by_name(identity: ModelIdentity, precision: Precision) -> Backbone:
    return OtherBackbone() if identity.name == "other" else FakeBackbone()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.at(tmp_path, seeds=range(5))


async def health(service: Running) -> health_pb2.HealthCheckResponse.ServingStatus.ValueType:
    answer = await health_pb2_grpc.HealthStub(service.channel).Check(health_pb2.HealthCheckRequest())
    return answer.status


async def version(service: Running) -> str:
    index: pb.GetIndexResponse = await service.stub.GetIndex(pb.GetIndexRequest())
    return index.summary.version


async def served(service: Running, wanted: str) -> None:
    async with asyncio.timeout(60):
        while await version(service) != wanted:
            await asyncio.sleep(0.02)


async def refusal(service: Running) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(1))))
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE
    assert reason_of(failure.value) == "INDEX_NOT_READY"
    return failure.value


def damage(folder: Folder, version: str) -> None:
    """Flips the last byte of the descriptors; sizes stay as they are."""
    path = folder.layout.snapshot_dir(version) / "segment-0.descriptors.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def publish_damaged(folder: Folder) -> str:
    """Makes a damaged copy of the live snapshot the live one, in one rename."""
    with Snapshot.open(folder.layout) as snapshot:
        old = snapshot.manifest.version
    new = f"{int(old) + 1:06d}"
    shutil.copytree(folder.layout.snapshot_dir(old), folder.layout.snapshot_dir(new))
    damage(folder, new)
    replace_file(folder.layout.current_path, f"{new}\n".encode())
    return new


@dataclass
class Searcher:
    """Searches without pause until told to stop, and keeps every answer with its question."""

    service: Running
    folder: Folder
    seed: int
    answers: list[tuple[NDArray[np.float64], str, pb.SearchResponse]] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        descriptor = self._descriptor()
        name = f"{self.seed:03d}.png"
        questions = [
            ("", pb.SearchRequest(image=pb.ImageFile(content=photo(self.seed)))),
            (self.folder.id_of(name), pb.SearchRequest(image_id=self.folder.id_of(name))),
            ("", pb.SearchRequest(vector=pb.Vector(values=descriptor.tolist()))),
        ]
        while not stop.is_set():
            for own_id, request in questions:
                self.answers.append((descriptor, own_id, await self.service.stub.Search(request)))

    def _descriptor(self) -> NDArray[np.float64]:
        with Snapshot.open(self.folder.layout) as snapshot:
            row = snapshot.row_of(self.folder.id_of(f"{self.seed:03d}.png"))
            assert row is not None
            return snapshot.descriptors[row].astype(np.float64)


class Truth:
    """What each snapshot holds, read from its files alone."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._snapshots: dict[str, tuple[list[str], NDArray[np.float64]]] = {}

    def nearest(self, version: str, query: NDArray[np.float64], without: str) -> list[tuple[str, float]]:
        ids, descriptors = self._snapshot(version)
        distances = np.linalg.norm(descriptors - query, axis=1).tolist()
        return sorted(
            ((i, d) for i, d in zip(ids, distances, strict=True) if i != without), key=lambda hit: hit[1]
        )

    def _snapshot(self, version: str) -> tuple[list[str], NDArray[np.float64]]:
        if version not in self._snapshots:
            with Snapshot.open(self._folder.layout, version) as snapshot:
                ids = [record.image_id for record in snapshot.page("", 1_000)]
                self._snapshots[version] = (
                    ids,
                    snapshot.descriptors[snapshot.descriptors.order].astype(np.float64),
                )
        return self._snapshots[version]


async def test_200_searches_in_flight_see_each_of_5_new_snapshots_whole(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(20))
    folder.publish()
    stop = asyncio.Event()
    async with running(settings_for(folder, decode_workers=2)) as service:
        searchers = [Searcher(service, folder, number % 20) for number in range(200)]
        tasks = [asyncio.create_task(searcher.run(stop)) for searcher in searchers]
        await wait_until(lambda: all(searcher.answers for searcher in searchers))
        for number in range(2, 7):
            folder.add(f"{100 + number}.png", photo(100 + number))
            manifest = await asyncio.to_thread(folder.publish)
            await served(service, manifest.version)
        stop.set()
        await asyncio.gather(*tasks)

    truth = Truth(folder)
    answers = [answer for searcher in searchers for answer in searcher.answers]
    assert {answer.index.version for _, _, answer in answers} == {f"{n:06d}" for n in range(1, 7)}
    for descriptor, own_id, answer in answers:
        expected = truth.nearest(answer.index.version, descriptor, own_id)
        assert answer.index.count == len(expected) + bool(own_id)
        assert [hit.image_id for hit in answer.hits] == [image_id for image_id, _ in expected]
        distances = [hit.distance for hit in answer.hits]
        assert distances == pytest.approx([distance for _, distance in expected], abs=2e-3)


async def test_the_old_snapshot_is_closed_when_its_last_user_is_done(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesearch.index.exact.ROWS_WORTH_A_THREAD", 1)
    live = live_index.LiveIndex(folder.layout, load_fake, Precision.AUTO, max_batch=1, threads=2)
    folder.publish()
    await live.refresh()
    threads = index_threads()
    assert threads == 2
    with live.use() as old:
        snapshot = old.snapshot
        folder.publish()
        await live.refresh()
        assert old.version == "000001"
        assert len(snapshot.page("", 100)) == 5
    with live.use() as new:
        assert new.version == "000002"
    await wait_until(lambda: is_closed(snapshot) and index_threads() == threads)
    live.close()


def index_threads() -> int:
    return sum(thread.name.startswith("exact-index") for thread in threading.enumerate())


def is_closed(snapshot: Snapshot) -> bool:
    try:
        snapshot.page("", 100)
    except sqlite3.ProgrammingError:
        return True
    return False


SNAPSHOT_THREADS = ("exact-index", "network", "close-snapshot")


def held(folder: Folder) -> dict[str, int]:
    """What this process holds for snapshots: threads, and files of the store that are open or mapped."""
    store = str(folder.store_dir)
    maps = Path("/proc/self/maps").read_text().splitlines()
    return {
        "threads": sum(thread.name.startswith(SNAPSHOT_THREADS) for thread in threading.enumerate()),
        "descriptors": sum(store in target for target in _open_files()),
        "maps": sum(store in line for line in maps),
    }


def _open_files() -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them is closed by now
            yield str(descriptor.readlink())


async def test_after_many_swaps_the_service_holds_what_it_held_after_the_first(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesearch.index.exact.ROWS_WORTH_A_THREAD", 1)
    live = live_index.LiveIndex(folder.layout, load_fake, Precision.AUTO, max_batch=1, threads=2)
    versions = [folder.publish(local_features=True).version for _ in range(2)]
    await live.refresh()
    expected = held(folder)
    assert expected["threads"] > 2
    assert expected["descriptors"] > 0
    assert expected["maps"] > 2
    gc.disable()
    try:
        for number in range(30):
            replace_file(folder.layout.current_path, f"{versions[number % 2]}\n".encode())
            await live.refresh()
        await wait_until(lambda: held(folder) == expected)
    finally:
        gc.enable()
        live.close()


@pytest.mark.parametrize(
    "failing",
    [pb.SearchRequest(image_id="0" * 64), pb.SearchRequest(image=pb.ImageFile(content=b"not a photo"))],
    ids=["unknown image", "no photo"],
)
async def test_a_request_that_failed_does_not_keep_its_snapshot(
    folder: Folder, failing: pb.SearchRequest
) -> None:
    versions = [folder.publish(local_features=True).version for _ in range(2)]
    async with running(settings_for(folder)) as service:
        expected = held(folder)
        gc.disable()
        try:
            for number in range(6):
                with pytest.raises(grpc.aio.AioRpcError):
                    await service.stub.Search(failing)
                replace_file(folder.layout.current_path, f"{versions[number % 2]}\n".encode())
                await served(service, versions[number % 2])
            await wait_until(lambda: held(folder) == expected)
        finally:
            gc.enable()


async def test_a_network_at_work_for_a_request_that_is_given_up_does_not_hold_up_the_others(
    folder: Folder,
) -> None:
    network = GatedBackbone()
    folder.publish()
    live = live_index.LiveIndex(folder.layout, network.load, Precision.AUTO, max_batch=1, threads=1)
    await live.refresh()
    network.gate.clear()
    network.entered.clear()
    picture = decode_query(photo(1), LIMITS, None, SquareInput(network.card.input.size_px), False)

    async def describe() -> None:
        with live.use() as served:
            await served.model.vectors(picture)

    request = asyncio.create_task(describe())
    await asyncio.to_thread(network.entered.wait, 60)
    live.close()
    opens = threading.Timer(2.0, network.gate.set)
    opens.start()
    request.cancel()
    started = time.monotonic()
    await asyncio.wait([request])
    assert time.monotonic() - started < 1.0
    await asyncio.to_thread(opens.join)


async def test_an_index_can_be_pruned_while_it_is_served(folder: Folder) -> None:
    folder.publish()
    async with running(settings_for(folder)) as service:
        shutil.rmtree(folder.layout.snapshots_dir)
        folder.layout.current_path.unlink()
        await asyncio.sleep(2 * live_index.POLL_INTERVAL_S)
        answer = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(1))))
        assert await health(service) == SERVING
    assert answer.hits[0].path == "001.png"


async def test_a_damaged_new_snapshot_leaves_the_old_one_served_and_is_logged_once(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_index, "RETRY_INTERVAL_S", 0.0)
    folder.publish()
    async with running(settings_for(folder)) as service:
        publish_damaged(folder)
        await wait_until(lambda: "cannot serve snapshot 000002" in caplog.text)
        await asyncio.sleep(3 * live_index.POLL_INTERVAL_S)
        assert await version(service) == "000001"
        assert await health(service) == SERVING
        folder.publish()
        await served(service, "000003")
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "still serving the one before" in errors[0].getMessage()


async def test_without_a_store_the_service_runs_says_what_to_do_and_recovers(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.store_dir.rmdir()
    async with running(settings_for(folder), ready=False) as service:
        await wait_until(lambda: "cannot serve" in caplog.text)
        assert await health(service) == NOT_SERVING
        assert "Nothing has been indexed yet; run `python -m indexer build`" in details_of(
            await refusal(service)
        )
        folder.publish()
        await service.server.ready()
        assert await health(service) == SERVING
        assert await version(service) == "000001"


async def test_started_on_a_damaged_snapshot_the_service_recovers_with_the_next_one(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.publish()
    damage(folder, "000001")
    async with running(settings_for(folder), ready=False) as service:
        await wait_until(lambda: "cannot serve" in caplog.text)
        assert await health(service) == NOT_SERVING
        details = details_of(await refusal(service))
        assert "damaged" in details
        assert str(folder.store_dir) not in details
        folder.publish()
        await service.server.ready()
        assert await version(service) == "000002"


async def test_a_snapshot_too_large_to_hash_first_is_served_no_more_once_damage_is_found(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MAX_HASHED_AT_OPENING_BYTES", 0)
    monkeypatch.setattr(live_index, "RETRY_INTERVAL_S", 0.0)
    folder.publish()
    damage(folder, "000001")
    async with running(settings_for(folder), ready=False) as service:
        await wait_until(lambda: "does not hash" in caplog.text)
        await asyncio.sleep(3 * live_index.POLL_INTERVAL_S)
        assert await health(service) == NOT_SERVING
        assert "damaged" in details_of(await refusal(service))
        folder.publish()
        await service.server.ready()
        assert await version(service) == "000002"


async def test_a_missing_network_is_named_and_looked_for_again(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_index, "RETRY_INTERVAL_S", 0.0)
    folder.publish()
    there = False

    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        if not there:
            raise ModelUnavailable("No network in /srv/store/models.")
        return FakeBackbone()

    async with running(settings_for(folder), load, ready=False) as service:
        await wait_until(lambda: "cannot serve" in caplog.text)
        details = details_of(await refusal(service))
        assert "network" in details
        assert "/srv/store/models" not in details
        there = True
        await service.server.ready()
        assert await version(service) == "000001"


async def test_a_network_that_answers_nonsense_is_not_served(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    class Nonsense(FakeBackbone):
        def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full((len(images), self.dim), np.nan, dtype=np.float32)

    folder.publish()
    async with running(settings_for(folder), lambda *_: Nonsense(), ready=False) as service:
        await wait_until(lambda: "cannot serve" in caplog.text)
        assert await health(service) == NOT_SERVING
        assert "damaged" in details_of(await refusal(service))


async def test_another_network_than_the_stores_is_not_served(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.publish()
    async with running(settings_for(folder), lambda *_: OtherBackbone(), ready=False) as service:
        await wait_until(lambda: "cannot serve" in caplog.text)
        assert "built with another network" in details_of(await refusal(service))


async def test_a_defect_while_opening_is_logged_with_its_traceback_and_tried_again(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_index, "RETRY_INTERVAL_S", 0.0)
    folder.publish()
    failures = [ZeroDivisionError("a defect"), ModelDamaged("The weights are broken.")]

    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        if failures:
            raise failures.pop(0)
        return FakeBackbone()

    async with running(settings_for(folder), load):
        assert "ZeroDivisionError: a defect" in caplog.text
        assert "The weights are broken." in caplog.text


async def test_a_snapshot_of_another_network_is_served_with_that_network(folder: Folder) -> None:
    folder.publish()
    request = pb.SearchRequest(image=pb.ImageFile(content=photo(1)))
    async with running(settings_for(folder), load_by_name) as service:
        before = await service.stub.Search(request)
        folder.publish(OtherBackbone())
        await served(service, "000002")
        after = await service.stub.Search(request)
        index = await service.stub.GetIndex(pb.GetIndexRequest())
    assert [answer.index.model for answer in (before, after)] == ["fake", "other"]
    assert after.hits[0].path == "001.png"
    assert after.hits[0].distance < 0.01
    assert (index.dimensions, index.model_digest) == (12, "e" * 64)


async def test_the_network_is_loaded_once_for_all_snapshots_of_one_model(folder: Folder) -> None:
    loads = 0

    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        nonlocal loads
        loads += 1
        return load_fake(identity, precision)

    folder.publish()
    async with running(settings_for(folder), load) as service:
        folder.publish()
        await served(service, "000002")
    assert loads == 1


async def test_another_precision_than_the_indexs_is_allowed_and_told(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    class Half(FakeBackbone):
        precision = Precision.BF16

    folder.publish()
    asked: list[Precision] = []

    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        asked.append(precision)
        return Half()

    async with running(settings_for(folder, precision=Precision.BF16), load) as service:
        index = await service.stub.GetIndex(pb.GetIndexRequest())
    assert asked == [Precision.BF16]
    assert (index.index_precision, index.query_precision) == ("f32", "bf16")
    assert "queries are described at bf16, the index at f32" in caplog.text


@pytest.mark.parametrize(
    ("index", "asked_for"), [(Precision.INT8, Precision.BF16), (Precision.F32, Precision.INT8)]
)
async def test_int8_is_compared_with_int8_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, index: Precision, asked_for: Precision
) -> None:
    class Backbone(FakeBackbone):
        precision = index

    folder = Folder.at(tmp_path, seeds=[1, 2])
    folder.publish(Backbone())
    async with running(
        settings_for(folder, precision=asked_for), lambda identity, precision: Backbone()
    ) as it:
        answer = await it.stub.GetIndex(pb.GetIndexRequest())
    assert (answer.index_precision, answer.query_precision) == (index, index)
    assert f"described at {index} like the index, not at {asked_for}" in caplog.text


async def test_an_index_without_images_answers_with_none(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path)
    folder.publish()
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(1))))
    assert list(answer.hits) == []
    assert answer.index.count == 0


async def test_what_waits_for_its_vectors_says_so_and_is_ready_when_they_come(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_index, "RETRY_INTERVAL_S", 0.0)
    folder.publish()
    live = live_index.LiveIndex(folder.layout, load_fake, Precision.AUTO, max_batch=1, threads=1)
    with monkeypatch.context() as patch:
        patch.setattr(live_index, "open_for_serving", raising(VectorsUnavailable("Milvus is away.")))
        await live.refresh()
        with pytest.raises(VectorsUnavailable, match="Milvus is away"), live.use():
            pass
    await live.refresh()
    with live.use() as served:
        assert served.version == "000001"
    live.close()


def raising(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise error

    return fail
