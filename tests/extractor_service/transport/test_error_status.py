"""How calls end: codes, reasons, deadlines, limits and what is kept from the caller."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

from extractor_service.transport.error_status import INTERNAL, failure_of
from imagesearch.backbones.base import Backbone, ModelIdentity, Precision
from imagesearch.errors import SnapshotDamaged, TooManyPixels
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    Folder,
    GatedBackbone,
    Running,
    photo,
    reason_of,
    running,
    settings_for,
    wait_until,
)
from tests.fakes import FakeBackbone


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path, seeds=range(3))
    folder.publish()
    return folder


@pytest.fixture
def backbone() -> GatedBackbone:
    return GatedBackbone()


def close_gate(backbone: GatedBackbone) -> None:
    backbone.gate.clear()
    backbone.entered.clear()


def by_bytes(seed: int = 1) -> pb.SearchRequest:
    return pb.SearchRequest(image=pb.ImageFile(content=photo(seed)))


async def poll(service: Running, request: pb.SearchRequest, *, until: bool) -> None:
    """Searches again and again until the service admits a search, or no longer does."""
    async with asyncio.timeout(60):
        while await is_admitted(service, request) is not until:
            await asyncio.sleep(0.01)


async def is_admitted(service: Running, request: pb.SearchRequest) -> bool:
    try:
        await service.stub.Search(request)
    except grpc.aio.AioRpcError as error:
        assert reason_of(error) == "OVERLOADED"
        return False
    return True


def test_a_subclass_takes_the_code_of_its_base_and_keeps_its_own_reason() -> None:
    failure = failure_of(TooManyPixels("Too large."))
    assert failure.code == grpc.StatusCode.INVALID_ARGUMENT
    assert (failure.reason, failure.sentence) == ("TOO_MANY_PIXELS", "Too large.")


def test_trouble_of_the_store_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert failure_of(SnapshotDamaged("/srv/store/000001 is damaged.")) == INTERNAL
    assert "/srv/store/000001" in caplog.text


async def test_one_call_more_than_allowed_is_refused_until_there_is_room(
    folder: Folder, backbone: GatedBackbone
) -> None:
    async with running(settings_for(folder, max_in_flight=1), backbone.load) as service:
        close_gate(backbone)
        first = service.stub.Search(by_bytes())
        await asyncio.to_thread(backbone.entered.wait)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(by_bytes())
        cheap = await service.stub.GetIndex(pb.GetIndexRequest())
        backbone.gate.set()
        await first
        await service.stub.Search(by_bytes())
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(failure.value) == "OVERLOADED"
    assert cheap.summary.count == 3


async def test_more_bytes_at_once_than_allowed_are_refused_until_there_is_room(
    folder: Folder, backbone: GatedBackbone
) -> None:
    """However few the calls are; one that brings no file is none of these."""
    size = len(by_bytes().image.content)
    async with running(settings_for(folder, max_bytes_in_flight=2 * size - 1), backbone.load) as service:
        close_gate(backbone)
        first = service.stub.Search(by_bytes())
        await asyncio.to_thread(backbone.entered.wait)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(by_bytes())
        await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("001.png")))
        backbone.gate.set()
        await first
        await service.stub.Search(by_bytes())
    assert reason_of(failure.value) == "OVERLOADED"


async def test_a_call_past_its_deadline_costs_no_network_time(
    folder: Folder, backbone: GatedBackbone
) -> None:
    async with running(settings_for(folder), backbone.load) as service:
        close_gate(backbone)
        first = service.stub.Search(by_bytes())
        await asyncio.to_thread(backbone.entered.wait)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(by_bytes(), timeout=0.2)
        # The server's own clock may run out a little later than the client's.
        await asyncio.sleep(0.2)
        backbone.gate.set()
        await first
        await service.stub.Search(by_bytes())
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert backbone.runs == [1, 1, 1, 1]  # the known picture, a search to be ready, and the two answered


async def test_a_call_without_a_deadline_gets_the_services_own(
    folder: Folder, backbone: GatedBackbone
) -> None:
    async with running(settings_for(folder, call_timeout_s=0.3), backbone.load) as service:
        close_gate(backbone)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(by_bytes())
        backbone.gate.set()
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(failure.value) == "DEADLINE_EXCEEDED"


async def test_a_cancelled_call_frees_its_place_and_is_no_error(
    folder: Folder, backbone: GatedBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(settings_for(folder, max_in_flight=2), backbone.load) as service:
        close_gate(backbone)
        first = service.stub.Search(by_bytes())
        await asyncio.to_thread(backbone.entered.wait)
        second = service.stub.Search(by_bytes())
        by_id = pb.SearchRequest(image_id=folder.id_of("001.png"))
        await poll(service, by_id, until=False)
        second.cancel()
        await poll(service, by_id, until=True)
        backbone.gate.set()
        await first
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


class BrokenBackbone(FakeBackbone):
    """Fails on every image but the first, which is the service's own check."""

    first = True

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if not self.first:
            raise OSError("cannot read /srv/secret/weights.bin")
        self.first = False
        return super().embed(images)


async def test_an_unexpected_failure_is_logged_whole_and_told_in_a_fixed_sentence(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        return BrokenBackbone()

    async with running(settings_for(folder), load, ready=False) as service:
        await wait_until(lambda: "cannot be searched with" in caplog.text)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(by_bytes())
        await service.stub.GetIndex(pb.GetIndexRequest())
        health = health_pb2_grpc.HealthStub(service.channel)
        answer = await health.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert failure.value.code() == grpc.StatusCode.INTERNAL
    assert reason_of(failure.value) == "INTERNAL"
    assert "secret" not in str(failure.value)
    assert "cannot read /srv/secret/weights.bin" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("method", ["Search", "GetOriginal"])
async def test_what_is_no_message_is_the_callers_fault(
    folder: Folder, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(settings_for(folder)) as service:
        call = service.channel.unary_unary(
            f"/imagesearch.v1.ImageSearchService/{method}", lambda data: data, lambda data: data
        )
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await call(b"\xff\xff")
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failure.value) == "INVALID_OPTION"
    assert "Traceback" not in caplog.text


async def test_a_hostile_image_costs_a_worker_and_not_the_service(
    folder: Folder,
) -> None:
    hostile = pb.ImageFile(content=photo(1, width=9_000, height=9_000))
    settings = settings_for(folder, max_pixels=100_000_000, decode_timeout_s=0.5)
    async with running(settings) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(pb.SearchRequest(image=hostile))
        answer = await service.stub.Search(by_bytes())
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failure.value) == "UNDECODABLE_IMAGE"
    assert answer.hits[0].path == "001.png"


async def test_a_message_far_too_large_is_refused_by_the_transport(folder: Folder) -> None:
    request = pb.SearchRequest(image=pb.ImageFile(content=bytes(3_000_000)))
    async with running(settings_for(folder, max_image_bytes=1_000_000)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
        await service.stub.GetIndex(pb.GetIndexRequest())
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
