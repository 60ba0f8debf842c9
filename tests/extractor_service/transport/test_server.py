"""The service as a whole: health, reflection, secrets, draining."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from extractor_service.transport.health import is_serving
from extractor_service.transport.server import ExtractorServer, StartupError
from protos.imagesearch.v1 import search_pb2 as pb
from protos.imagesearch.v1 import search_pb2_grpc
from tests.extractor_service.serving import (
    Folder,
    GatedBackbone,
    load_fake,
    photo,
    running,
    settings_for,
)

SERVICE = "imagesearch.v1.ImageSearchService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path, seeds=range(5))
    folder.publish()
    return folder


def by_bytes(seed: int) -> pb.SearchRequest:
    return pb.SearchRequest(image=pb.ImageFile(content=photo(seed)))


async def test_health_of_server_and_service_follows_from_loading_to_draining(folder: Folder) -> None:
    backbone = GatedBackbone()
    backbone.gate.clear()
    async with running(settings_for(folder), backbone.load, ready=False) as service:
        stub = health_pb2_grpc.HealthStub(service.channel)
        await asyncio.to_thread(backbone.entered.wait)
        for name in ("", SERVICE):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == NOT_SERVING
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert (await watch.read()).status == NOT_SERVING
        backbone.gate.set()
        assert (await watch.read()).status == SERVING
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == SERVING
        draining = asyncio.create_task(service.server.drain())
        assert (await watch.read()).status == NOT_SERVING
        watch.cancel()
        await draining


async def test_an_unknown_service_has_no_health(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await health_pb2_grpc.HealthStub(service.channel).Check(
                health_pb2.HealthCheckRequest(service="another")
            )
    assert failure.value.code() == grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_the_service_and_its_file(folder: Folder) -> None:
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]
    async with running(settings_for(folder)) as service:
        stub = reflection_pb2_grpc.ServerReflectionStub(service.channel)
        listing, file = [answer async for answer in stub.ServerReflectionInfo(iter(requests))]
    assert SERVICE in {entry.name for entry in listing.list_services_response.service}
    assert b"ImageSearchService" in file.file_descriptor_response.file_descriptor_proto[0]


TOKEN = "open sesame"


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Bearer wrong"),), (("authorization", TOKEN),), (("authorization", ""),)],
    ids=["none", "wrong", "no scheme", "empty"],
)
async def test_without_the_token_every_call_is_refused(folder: Folder, metadata: Any) -> None:
    async with running(settings_for(folder, bearer_token=TOKEN)) as service:
        calls = [
            service.stub.Search(by_bytes(1), metadata=metadata),
            service.stub.GetIndex(pb.GetIndexRequest(), metadata=metadata),
        ]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await call
            assert failure.value.code() == grpc.StatusCode.UNAUTHENTICATED
        reflection = reflection_pb2_grpc.ServerReflectionStub(service.channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")]), metadata=metadata
        )
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await reflection.read()
        assert failure.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_with_the_token_calls_are_answered_and_health_needs_none(folder: Folder) -> None:
    async with running(settings_for(folder, bearer_token=TOKEN)) as service:
        answer = await service.stub.Search(by_bytes(1), metadata=(("authorization", f"Bearer {TOKEN}"),))
        health = await health_pb2_grpc.HealthStub(service.channel).Check(health_pb2.HealthCheckRequest())
    assert answer.hits[0].path == "001.png"
    assert health.status == SERVING


@dataclass(frozen=True)
class Certificate:
    cert_file: Path
    key_file: Path


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subprocess.run(
        [
            *command.split(),
            "-subj",
            "/CN=x",
            "-addext",
            "subjectAltName=DNS:extractor",
            "-keyout",
            key_file,
            "-out",
            cert_file,
        ],
        check=True,
        capture_output=True,
    )
    return Certificate(cert_file, key_file)


async def test_tls_serves_those_who_trust_the_certificate_and_nobody_in_the_clear(
    folder: Folder, certificate: Certificate
) -> None:
    settings = settings_for(folder, tls_cert_file=certificate.cert_file, tls_key_file=certificate.key_file)
    credentials = grpc.ssl_channel_credentials(certificate.cert_file.read_bytes())
    async with running(settings) as service:
        address = f"127.0.0.1:{service.server.port}"
        options = [("grpc.ssl_target_name_override", "extractor")]
        async with grpc.aio.secure_channel(address, credentials, options) as channel:
            stub = search_pb2_grpc.ImageSearchServiceStub(channel)  # type: ignore[no-untyped-call]
            answer = await stub.Search(by_bytes(2))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(by_bytes(2))
        there = settings.model_copy(update={"port": service.server.port})
        assert await asyncio.to_thread(is_serving, there, "extractor")
        assert not await asyncio.to_thread(is_serving, there, "another")
    assert answer.hits[0].path == "002.png"
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_an_unusable_certificate_stops_the_start(folder: Folder, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    server = ExtractorServer(settings_for(folder, tls_cert_file=nonsense, tls_key_file=nonsense), load_fake)
    with pytest.raises(StartupError, match="EXTRACTOR_TLS_CERT_FILE"):
        await server.start()
    await server.close()


async def test_a_port_in_use_stops_the_start(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        second = ExtractorServer(settings_for(folder, port=service.server.port), load_fake)
        with pytest.raises(StartupError, match="Address already in use"):
            await second.start()
        await second.close()


async def test_the_health_command_tells_serving_from_not(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        there = settings_for(folder, port=service.server.port)
        assert await asyncio.to_thread(is_serving, there)
        assert await asyncio.to_thread(is_serving, there.model_copy(update={"host": "0.0.0.0"}))
    assert not await asyncio.to_thread(is_serving, there)


@dataclass
class Process:
    """The service in a process of its own."""

    process: asyncio.subprocess.Process
    stub: search_pb2_grpc.ImageSearchServiceStub
    output: list[str]

    async def read_until(self, text: str) -> str:
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while text not in (line := (await self.process.stderr.readline()).decode()):
                assert line, f"ended before {text!r}: {self.output}"
                self.output.append(line)
        self.output.append(line)
        return line


@asynccontextmanager
async def own_process(folder: Folder, seconds_per_run: float, **settings: str) -> AsyncIterator[Process]:
    environment = {
        "EXTRACTOR_PORT": "0",
        "EXTRACTOR_STORE_DIR": str(folder.store_dir),
        "EXTRACTOR_DECODE_WORKERS": "1",
        "EXTRACTOR_MAX_BATCH": "1",
        **{f"EXTRACTOR_{name}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "tests.extractor_service.transport.serve_slowly", str(seconds_per_run)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=REPOSITORY, env=os.environ | environment, stderr=subprocess.PIPE
    )
    try:
        service = Process(process, None, [])  # type: ignore[arg-type]
        line = await service.read_until("ready on ")
        port = re.search(r"ready on 127\.0\.0\.1:(\d+)", line)
        assert port is not None
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port[1]}") as channel:
            service.stub = search_pb2_grpc.ImageSearchServiceStub(channel)  # type: ignore[no-untyped-call]
            yield service
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def search_and_await_first(service: Process, count: int) -> list[asyncio.Task[pb.SearchResponse]]:
    """Starts searches for photo 0, 1, …; returns when one is answered and the others wait for theirs."""

    async def search(seed: int) -> pb.SearchResponse:
        answer: pb.SearchResponse = await service.stub.Search(by_bytes(seed))
        return answer

    searches = [asyncio.create_task(search(seed)) for seed in range(count)]
    await asyncio.wait(searches, return_when=asyncio.FIRST_COMPLETED)
    return searches


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_searches_under_way_finish(folder: Folder, number: signal.Signals) -> None:
    async with own_process(folder, 0.1, DRAIN_TIMEOUT_S="30") as service:
        searches = await search_and_await_first(service, 5)
        service.process.send_signal(number)
        answers = await asyncio.gather(*searches)
        assert await service.process.wait() == 0
    assert [answer.hits[0].path for answer in answers] == [f"00{seed}.png" for seed in range(5)]


async def test_no_call_that_arrived_under_load_is_lost(folder: Folder) -> None:
    async with own_process(folder, 0.001, DRAIN_TIMEOUT_S="30") as service:
        searches = await search_and_await_first(service, 5)
        crowd = [service.stub.Search(by_bytes(seed % 5)) for seed in range(150)]
        await asyncio.gather(*searches)
        service.process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*crowd)
        assert await service.process.wait() == 0
    assert [answer.hits[0].path for answer in answers] == [f"00{seed % 5}.png" for seed in range(150)]


async def test_a_second_signal_ends_the_draining(folder: Folder) -> None:
    async with own_process(folder, 1.0, DRAIN_TIMEOUT_S="60") as service:
        searches = await search_and_await_first(service, 5)
        service.process.send_signal(signal.SIGTERM)
        await service.read_until("stopping")
        service.process.send_signal(signal.SIGTERM)
        outcomes = await asyncio.gather(*searches, return_exceptions=True)
        assert await service.process.wait() == 1
    assert any(isinstance(outcome, grpc.aio.AioRpcError) for outcome in outcomes)
