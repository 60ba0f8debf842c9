from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import grpc
import pytest
from pydantic import SecretStr

from gateway import errors
from gateway.search_client import Photo, Query, SearchClient
from gateway.search_options import SearchOptions
from gateway.settings import Settings
from tests.gateway.fake_service import Failure, FakeService, served

QUERY = Query(SearchOptions(), (Photo(b"photo"),))


async def test_every_call_carries_the_token(service: FakeService, settings: Settings) -> None:
    client = SearchClient.connect(settings.model_copy(update={"extractor_token": SecretStr("hush")}))
    for call in (
        client.search(QUERY, preview=False),
        client.get_image(service.images[0].image_id),
        client.get_index(),
        client.sample_images(3),
        client.thumbnail(service.images[0].image_id, 256),
        client.open_original(service.images[0].image_id),
    ):
        service.metadata.clear()
        await call
        assert service.metadata["authorization"] == "Bearer hush"
    await client.close()


async def test_without_a_token_none_is_sent(service: FakeService, settings: Settings) -> None:
    client = SearchClient.connect(settings)
    await client.get_index()
    assert "authorization" not in service.metadata
    await client.close()


async def test_a_restarted_service_is_found_again(settings: Settings) -> None:
    first = FakeService()
    async with served(first):
        client = SearchClient.connect(settings.model_copy(update={"extractor_address": first.address}))
        await client.get_index()
    with pytest.raises(errors.ExtractorUnavailable):
        await client.get_index()
    async with served(FakeService(), address=first.address):
        await _until_it_answers(client)
    await client.close()


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
async def test_a_call_that_a_stopping_service_gave_up_is_made_again(
    service: FakeService, settings: Settings, code: grpc.StatusCode
) -> None:
    service.failure, service.fails_once = Failure(code), True
    client = SearchClient.connect(settings)
    large = Query(SearchOptions(), (Photo(b"x" * settings.max_upload_bytes),))
    assert (await client.search(large, preview=False)).response.results
    assert len(service.searches) == 2
    await client.close()


async def test_giving_up_a_search_gives_up_the_call(service: FakeService, settings: Settings) -> None:
    service.delay_s = 30
    client = SearchClient.connect(settings)
    searching = asyncio.create_task(client.search(QUERY, preview=False))
    while not service.calls:
        await asyncio.sleep(0.01)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    while not service.cancelled:
        await asyncio.sleep(0.01)
    await client.close()


async def test_a_sample_is_as_large_as_asked_for(service: FakeService, settings: Settings) -> None:
    client = SearchClient.connect(settings)
    sample = await client.sample_images(3)
    assert [image.paths for image in sample] == [("set/0.jpg",), ("set/1.jpg",), ("set/2.jpg",)]
    await client.close()


async def test_an_index_with_many_refused_files_fits(service: FakeService, settings: Settings) -> None:
    service.model_note = "x" * (6 * 2**20)  # beyond gRPC's default of 4 MiB
    client = SearchClient.connect(settings)
    assert len((await client.get_index()).model_note) == 6 * 2**20
    await client.close()


async def test_tls_is_spoken_with_who_has_a_certificate_of_the_authority(
    settings: Settings, tmp_path: Path
) -> None:
    key_file, cert_file = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=extractor", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key_file), "-out", str(cert_file)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    pair = (key_file.read_bytes(), cert_file.read_bytes())
    async with served(FakeService(), credentials=grpc.ssl_server_credentials([pair])) as service:
        by_address = settings.model_copy(update={"extractor_address": service.address})
        trusting = SearchClient.connect(by_address.model_copy(update={"extractor_tls_ca_file": cert_file}))
        assert (await trusting.get_index()).model == "vgg16"
        in_the_clear = SearchClient.connect(by_address)
        with pytest.raises(errors.ExtractorUnavailable):
            await in_the_clear.get_index()
        await trusting.close()
        await in_the_clear.close()


async def _until_it_answers(client: SearchClient) -> None:
    while True:
        try:
            await client.get_index()
        except errors.ExtractorUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def test_an_original_takes_its_time_as_long_as_it_goes_on(
    service: FakeService, settings: Settings
) -> None:
    image = service.images[0]
    service.files[image.image_id] = bytes(300_000)
    service.chunk_bytes = 100_000
    client = SearchClient.connect(settings.model_copy(update={"search_timeout_s": 0.3}))
    original = await client.open_original(image.image_id)
    received = 0
    async for chunk in original.chunks():
        received += len(chunk)
        await asyncio.sleep(0.2)  # a slow reader: 0.6 s in all
    assert received == 300_000
    await client.close()


async def test_an_original_that_stops_coming_is_given_up(service: FakeService, settings: Settings) -> None:
    service.stall_s = 30
    client = SearchClient.connect(settings.model_copy(update={"search_timeout_s": 0.3}))
    original = await client.open_original(service.images[0].image_id)
    with pytest.raises(errors.DeadlineExceeded):
        [chunk async for chunk in original.chunks()]
    while not service.cancelled:
        await asyncio.sleep(0.01)
    await client.close()
