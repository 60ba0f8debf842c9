from __future__ import annotations

import grpc
import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from protos.imagesearch.v1 import search_pb2
from tests.gateway.fake_service import Failure, FakeService


async def test_the_index_names_what_was_refused_and_why(client: httpx.AsyncClient) -> None:
    index = (await client.get("/index")).json()
    assert index["refused_count"] == 1
    assert index["refused"] == [
        {"path": "bad.jpg", "reason": "UNDECODABLE_IMAGE", "detail": "It is cut off."}
    ]
    assert (index["version"], index["count"], index["descriptor"], index["model"]) == (
        "000001",
        5,
        "fc6",
        "vgg16",
    )
    assert (index["index_precision"], index["query_precision"]) == ("f32", "bf16")
    assert index["build_time"] == "2023-11-14T22:13:20Z"


async def test_the_index_says_what_its_descriptor_could_not_learn(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.descriptor_note = "Of 9 visual words instead of 256: the photos have few local features."
    assert (await client.get("/index")).json()["descriptor_note"] == service.descriptor_note


@pytest.mark.parametrize("has_them", [True, False])
async def test_the_index_says_whether_it_can_be_verified(
    client: httpx.AsyncClient, service: FakeService, has_them: bool
) -> None:
    service.local_features = has_them
    assert (await client.get("/index")).json()["local_features"] is has_them


@pytest.mark.parametrize("has_them", [True, False])
async def test_the_index_says_whether_results_can_be_localised(
    client: httpx.AsyncClient, service: FakeService, has_them: bool
) -> None:
    service.localization = has_them
    assert (await client.get("/index")).json()["localization"] is has_them


async def test_the_index_tells_what_int8_costs(client: httpx.AsyncClient, service: FakeService) -> None:
    assert (await client.get("/index")).json()["int8_quality"] is None
    service.int8_quality = search_pb2.Int8Quality(cosine=0.998, overlap_at_10=0.96, photos=300)
    quality = (await client.get("/index")).json()["int8_quality"]
    assert quality == {"cosine": 0.998, "overlap_at_10": 0.96, "photos": 300}


def at_work(phase: str = "describing", done: int = 1_200, per_second: float = 8.0) -> search_pb2.Indexing:
    return search_pb2.Indexing(
        phase=phase,
        done=done,
        total=12_000,
        per_second=per_second,
        started_at=Timestamp(seconds=1_700_000_000),
    )


async def test_the_index_tells_of_the_indexer_at_work(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    assert (await client.get("/index")).json()["indexing"] is None
    service.indexing = at_work()
    index = (await client.get("/index")).json()
    assert (index["version"], index["count"]) == ("000001", 5)
    assert index["indexing"] == {
        "phase": "describing",
        "done": 1_200,
        "total": 12_000,
        "per_second": 8.0,
        "started_at": "2023-11-14T22:13:20Z",
    }


async def test_and_before_the_first_snapshot_of_nothing_else(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.version, service.indexing = "", at_work()
    index = (await client.get("/index")).json()
    assert (index["version"], index["count"], index["build_time"]) == ("", 0, None)
    assert index["indexing"]["total"] == 12_000


@pytest.mark.parametrize(
    ("indexing", "line"),
    [
        (at_work(), "Indexing: 1,200 of 12,000 new photos · about 22 minutes left"),
        (at_work(done=11_500), "Indexing: 11,500 of 12,000 new photos · about a minute left"),
        (at_work(done=11_900), "Indexing: 11,900 of 12,000 new photos · less than a minute left"),
        (at_work(per_second=0.5), "Indexing: 1,200 of 12,000 new photos · about 6 hours left"),
        (at_work("listing", per_second=0.0), "Looking through the folder …"),
        (at_work("unheard of"), "Indexing: 1,200 of 12,000 photos · about 22 minutes left"),
    ],
)
@pytest.mark.parametrize("version", ["", "000001"])
async def test_the_start_page_says_how_far_it_is(
    client: httpx.AsyncClient, service: FakeService, indexing: search_pb2.Indexing, line: str, version: str
) -> None:
    service.version, service.indexing = version, indexing
    page = await client.get("/")
    assert page.status_code == 200
    assert f'id="live" data-live="{"more" if version else "first"}">{line}</p>' in page.text
    assert ("5 photos" in page.text) is bool(version)
    assert "empty" not in page.text


async def test_and_says_nothing_where_none_is_at_work(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers={"Accept-Language": "ja"})
    assert 'id="live"></p>' in page.text


async def test_the_index_is_not_there_before_it_is_loaded(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
    response = await client.get("/index")
    assert (response.status_code, response.json()["code"]) == (503, "INDEX_NOT_READY")


def refuse(service: FakeService, count: int) -> None:
    service.refused = [
        search_pb2.RefusedFile(path=f'{place}, "é".jpg', reason="EMPTY_IMAGE", detail="The file is empty.")
        for place in range(count)
    ]


async def test_folders_come_with_their_counts(client: httpx.AsyncClient, service: FakeService) -> None:
    service.images[0].paths[0] = "set/summer/0.jpg"
    assert (await client.get("/folders")).json() == {
        "total": 2,
        "folders": [{"path": "set", "count": 5}, {"path": "set/summer", "count": 1}],
    }
    service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
    assert (await client.get("/folders")).status_code == 503


async def test_refused_files_come_in_pages(client: httpx.AsyncClient, service: FakeService) -> None:
    refuse(service, 5)
    first = (await client.get("/refused?limit=3")).json()
    assert (first["total"], first["next_offset"], len(first["refused"])) == (5, 3, 3)
    last = (await client.get(f"/refused?limit=3&offset={first['next_offset']}")).json()
    assert (last["total"], last["next_offset"]) == (5, None)
    assert last["refused"][1] == {
        "path": '4, "é".jpg',
        "reason": "EMPTY_IMAGE",
        "detail": "The file is empty.",
    }
    service.left_out = {"hidden folder": 1, "@eaDir": 12}
    beyond = (await client.get("/refused?offset=9223372036854775807")).json()
    assert list(beyond["left_out"].items()) == [("@eaDir", 12), ("hidden folder", 1)]
    assert (beyond["total"], beyond["next_offset"], beyond["refused"]) == (5, None, [])


async def test_refused_files_come_as_csv_too(client: httpx.AsyncClient, service: FakeService) -> None:
    refuse(service, 2)
    answer = await client.get("/refused?offset=1", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["vary"] == (await client.get("/refused")).headers["vary"] == "Accept"
    assert answer.text == 'path,reason,detail\r\n"1, ""é"".jpg",EMPTY_IMAGE,The file is empty.\r\n'


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "offset=-1", "offset=9223372036854775808", "limit=x"]
)
async def test_a_page_of_refused_files_has_bounds(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/refused?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_OPTION")
