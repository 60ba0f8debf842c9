"""Searches that the service fails, or that come too fast."""

from __future__ import annotations

import grpc
import httpx
import pytest

from tests.gateway.conftest import Connect
from tests.gateway.fake_service import Failure, FakeService
from tests.gateway.searching import PHOTO, problem

FAILURES = [
    ("EMPTY_IMAGE", grpc.StatusCode.INVALID_ARGUMENT, 400),
    ("TOO_MANY_BYTES", grpc.StatusCode.INVALID_ARGUMENT, 413),
    ("TOO_MANY_PIXELS", grpc.StatusCode.INVALID_ARGUMENT, 422),
    ("UNSUPPORTED_IMAGE_TYPE", grpc.StatusCode.INVALID_ARGUMENT, 415),
    ("UNDECODABLE_IMAGE", grpc.StatusCode.INVALID_ARGUMENT, 422),
    ("INVALID_OPTION", grpc.StatusCode.INVALID_ARGUMENT, 422),
    ("UNKNOWN_IMAGE", grpc.StatusCode.NOT_FOUND, 404),
    ("OPTION_UNAVAILABLE", grpc.StatusCode.FAILED_PRECONDITION, 422),
    ("INDEX_NOT_READY", grpc.StatusCode.UNAVAILABLE, 503),
    ("VECTORS_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE, 503),
    ("OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED, 503),
    ("DEADLINE_EXCEEDED", grpc.StatusCode.DEADLINE_EXCEEDED, 504),
]


@pytest.mark.parametrize(("reason", "code", "status"), FAILURES)
async def test_a_failure_of_the_service_has_its_status(
    client: httpx.AsyncClient, service: FakeService, reason: str, code: grpc.StatusCode, status: int
) -> None:
    service.failure = Failure(code, reason)
    response = await client.post("/search", files={"image": PHOTO})
    assert problem(response) == (status, reason)
    assert ("retry-after" in response.headers) == (status == 503)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.INTERNAL, (502, "EXTRACTOR_FAILED")),
        (grpc.StatusCode.UNAUTHENTICATED, (502, "EXTRACTOR_FAILED")),
        (grpc.StatusCode.UNAVAILABLE, (503, "EXTRACTOR_UNAVAILABLE")),
        (grpc.StatusCode.CANCELLED, (503, "EXTRACTOR_UNAVAILABLE")),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, (503, "OVERLOADED")),
    ],
)
async def test_a_failure_without_a_reason_goes_by_its_status(
    client: httpx.AsyncClient,
    service: FakeService,
    caplog: pytest.LogCaptureFixture,
    code: grpc.StatusCode,
    expected: tuple[int, str],
) -> None:
    service.failure = Failure(code)
    assert problem(await client.post("/search", files={"image": PHOTO})) == expected
    assert ("engine.py is broken" in caplog.text) == (expected[0] == 502)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("TOO_MANY_PIXELS", "The image has more than 12,000,000 pixels (width times height)."),
        ("UNDECODABLE_IMAGE", "The image takes longer to decode than is allowed."),
        ("UNSUPPORTED_IMAGE_TYPE", "A camera's raw file is not accepted: save it as JPEG."),
        ("OPTION_UNAVAILABLE", "Index the photos again with INDEXER_LOCALIZATION=true and build --rebuild."),
        ("VECTORS_UNAVAILABLE", "Milvus, which holds the vectors, refuses the token: set MILVUS_TOKEN."),
    ],
)
async def test_the_services_own_reason_is_repeated(
    client: httpx.AsyncClient, service: FakeService, reason: str, sentence: str
) -> None:
    service.failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, reason, sentence)
    response = await client.post("/search", files={"image": PHOTO})
    assert problem(response)[1] == reason
    assert response.json()["detail"] == sentence


@pytest.mark.parametrize(
    "words",
    [
        "The file /srv/photos/private.jpg is damaged.",
        "C:\\photos\\private.jpg is damaged.",
        "Traceback (most recent call last):\n  private",
        "<PIL.private object> cannot be read.",
        "private",
    ],
)
@pytest.mark.parametrize("reason", ["UNDECODABLE_IMAGE", "INTERNAL", ""])
async def test_words_that_are_no_plain_sentence_are_not_repeated(
    client: httpx.AsyncClient, service: FakeService, words: str, reason: str
) -> None:
    service.failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, reason, words)
    assert "private" not in (await client.post("/search", files={"image": PHOTO})).text


async def test_a_sentence_without_a_reason_is_not_repeated(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    for reason in ("", "INTERNAL", "UNREADABLE_FILE"):
        service.failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, reason, "The private photo is damaged.")
        assert "private" not in (await client.post("/search", files={"image": PHOTO})).text


async def test_a_page_in_japanese_translates_the_services_reason_where_it_knows_it(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    japanese = {"accept-language": "ja"}
    for sentence, expected in (
        ("The image has more than 12,000,000 pixels (width times height).", "12,000,000を超えています"),
        ("The image has a new kind of trouble.", "画素数が"),
    ):
        service.failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_PIXELS", sentence)
        page = (await client.post("/", files={"image": PHOTO}, headers=japanese)).text
        assert expected in page
        assert sentence not in page


async def test_an_answer_past_the_deadline_is_a_timeout(connect: Connect, service: FakeService) -> None:
    service.delay_s = 5
    async with connect(search_timeout_s=0.1) as client:
        response = await client.post("/search", files={"image": PHOTO})
    assert problem(response) == (504, "DEADLINE_EXCEEDED")
    assert response.json()["detail"].startswith("The search took longer than 0.1 seconds")


async def test_a_service_out_of_reach_is_told_apart_and_found_again(connect: Connect) -> None:
    async with connect(extractor_address="127.0.0.1:1") as client:
        response = await client.post("/search", files={"image": PHOTO})
    assert problem(response) == (503, "EXTRACTOR_UNAVAILABLE")
    assert response.headers["retry-after"] == "5"


async def test_searching_faster_than_allowed_is_refused_for_a_while(connect: Connect) -> None:
    async with connect(rate_limit_per_minute=2) as client:
        for _ in range(2):
            assert (await client.post("/search", files={"image": PHOTO})).status_code == 200
        response = await client.post("/search", files={"image": PHOTO})
        assert problem(response) == (429, "RATE_LIMITED")
        assert 1 <= int(response.headers["retry-after"]) <= 30
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("trusted", "second_status"), [("", 429), ("203.0.113.0/24", 200)])
async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    connect: Connect, trusted: str, second_status: int
) -> None:
    async with connect(rate_limit_per_minute=1, trusted_proxies=trusted) as client:
        for address, status in (("198.51.100.1", 200), ("198.51.100.2", second_status)):
            headers = {"x-forwarded-for": address}
            response = await client.post("/search", files={"image": PHOTO}, headers=headers)
            assert response.status_code == status


async def test_a_search_too_many_at_once_is_told_to_come_back(connect: Connect, service: FakeService) -> None:
    import asyncio

    service.delay_s = 0.5
    async with connect(max_concurrent_searches=1) as client:
        first, second = await asyncio.gather(
            client.post("/search", files={"image": PHOTO}), client.post("/search", files={"image": PHOTO})
        )
        assert first.status_code == 200
        assert problem(second) == (503, "OVERLOADED")
        assert second.headers["retry-after"] == "1"
        assert (await client.post("/search", files={"image": PHOTO})).status_code == 200
