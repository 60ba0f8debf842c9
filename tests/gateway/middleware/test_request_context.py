from __future__ import annotations

import logging

import httpx
import pytest

from tests.gateway.fake_service import FakeService


async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    first, second = [(await client.get("/healthz")).headers["x-request-id"] for _ in range(2)]
    assert first != second


async def test_a_request_is_one_line_in_the_log(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="gateway"):
        response = await client.get("/nowhere%0AERROR%20forged")
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("gateway")]
    assert line.startswith("GET /nowhere%0AERROR%20forged 404 in ")
    assert line.endswith(f"for 203.0.113.7, request {response.headers['x-request-id']}")


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (
            {"traceparent": PARENT, "tracestate": "vendor=1"},
            {"traceparent": PARENT, "tracestate": "vendor=1"},
        ),
        ({"traceparent": PARENT, "tracestate": "=\x7f,é"}, {"traceparent": PARENT}),
        ({"traceparent": "00-not a trace-01"}, {}),
        ({}, {}),
    ],
    ids=["whole", "odd state", "none that is one", "none"],
)
async def test_a_clients_trace_reaches_the_search_service_as_it_came(
    client: httpx.AsyncClient, service: FakeService, given: dict[str, str], passed_on: dict[str, str]
) -> None:
    headers = {name: value.encode("latin-1") for name, value in given.items()}
    assert (await client.post("/search", files={"image": b"photo"}, headers=headers)).status_code == 200  # type: ignore[arg-type]
    told = {name: value for name, value in service.metadata.items() if name in ("traceparent", "tracestate")}
    assert told == passed_on


async def test_a_defect_is_told_to_the_log_and_not_to_the_client(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret of /srv/secret")

    monkeypatch.setattr("gateway.search_client.client.search_answer", broken)
    response = await client.post("/search", files={"image": b"photo"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "INTERNAL"
    assert "secret" not in response.text
    assert "the secret of /srv/secret" in caplog.text
    assert response.json()["request_id"] in caplog.text


async def test_a_defect_behind_the_page_is_a_page(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.search_client.client.search_answer", lambda message: 1 / 0)
    page = await client.post("/", files={"image": b"photo"})
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    assert "Something went wrong" in page.text
    assert page.headers["x-request-id"] in page.text


async def test_a_defect_of_the_page_itself_is_a_problem(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("gateway.views.Views.render", broken)
    response = await client.get("/")
    assert response.status_code == 500
    assert response.json()["code"] == "INTERNAL"
