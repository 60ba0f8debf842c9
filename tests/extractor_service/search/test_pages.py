"""Pages and filters of a search, over real gRPC: with everything else that a search can be asked for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import ExifTags, Image

from extractor_service.settings import ExtractorSettings
from imagesearch.index.kinds import KINDS, IndexPlan
from imagesearch.store.content import SnapshotContent
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord
from indexer.new_snapshot import publish
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    Folder,
    Running,
    details_of,
    photo,
    png,
    reason_of,
    running,
    settings_for,
    textured,
)
from tests.fakes import FakeBackbone

PHOTOS = 25
SCENES = 11


def dated(picture: Image.Image, day: str) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = f"{day} 12:00:00"
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Photos in two folders, the odd ones in the second; all but every fifth have a date, in July 2019."""
    folder = Folder.at(tmp_path)
    for seed in range(PHOTOS):
        with Image.open(io.BytesIO(photo(seed))) as picture:
            content = photo(seed) if seed % 5 == 4 else dated(picture, f"2019:07:{seed + 1:02d}")
        folder.add(f"{'odd' if seed % 2 else 'even'}/{seed:03d}.png", content)
    folder.publish()
    return folder


@pytest.fixture
def scenes(tmp_path: Path) -> Folder:
    """Textured ones in two folders, the odd ones in the second, one of them there once more, turned."""
    folder = Folder.at(tmp_path)
    for seed in range(SCENES):
        folder.add(f"{'odd' if seed % 2 else 'even'}/{seed:03d}.png", png(textured(seed, 160, 120)))
    folder.add("odd/turned.png", png(textured(3, 160, 120).rotate(90, expand=True)))
    folder.publish(local_features=True, localization=True)
    return folder


def unhurried(folder: Folder) -> ExtractorSettings:
    """On a busy machine the budgets would run out before the candidates do."""
    return settings_for(folder, verify_budget_ms=60_000, localize_budget_ms=60_000, verify_candidates=6)


def whole(request: pb.SearchRequest) -> pb.SearchRequest:
    everything = pb.SearchRequest()
    everything.CopyFrom(request)
    everything.limit = 100
    return everything


async def page_by_page(service: Running, request: pb.SearchRequest, limit: int) -> list[pb.Hit]:
    """All hits of a search, following `next_offset`."""
    request.limit, hits = limit, []
    while True:
        answer = await service.stub.Search(request)
        hits += answer.hits
        if not answer.HasField("next_offset"):
            return hits
        assert (len(answer.hits), answer.next_offset) == (limit, request.offset + limit)
        request.offset = answer.next_offset


SWITCHES: list[dict[str, Any]] = [
    {"verify": False},
    {"verify": False, "expand": True},
    {"verify": False, "localize": True},
    {"verify": True},
    {"verify": True, "expand": True, "localize": True},
]


def queries(folder: Folder) -> list[pb.SearchRequest]:
    """Of a file, of an image, and of several photos with one to avoid."""
    image = pb.ImageFile(content=png(textured(7, 160, 120).crop((0, 0, 80, 120)).rotate(180)))
    own = folder.id_of("odd/003.png")
    several = pb.PhotoSet(positives=[pb.Photo(image=image), pb.Photo(image_id=own)])
    several.negatives.add(image_id=folder.id_of("even/010.png"))
    return [pb.SearchRequest(image=image), pb.SearchRequest(image_id=own), pb.SearchRequest(photos=several)]


@pytest.mark.parametrize("switches", SWITCHES)
async def test_pages_continue_one_another_whatever_a_search_is_asked_for(
    scenes: Folder, switches: dict[str, Any]
) -> None:
    async with running(unhurried(scenes)) as service:
        for request in queries(scenes):
            request.MergeFrom(pb.SearchRequest(**switches))
            expected = list((await service.stub.Search(whole(request))).hits)
            assert len(expected) >= SCENES - 1
            assert await page_by_page(service, request, limit=5) == expected


async def test_beyond_the_last_hit_there_is_nothing_and_no_next_page(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("even/000.png"), offset=500)
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(request)
        request.offset, request.limit = 19, 5
        last = await service.stub.Search(request)
    assert (list(answer.hits), answer.HasField("next_offset")) == ([], False)
    assert (len(last.hits), last.HasField("next_offset")) == (5, False)


@pytest.mark.parametrize(("offset", "limit"), [(901, 100), (971, 0), (1_000, 1), (2**32 - 1, 30)])
async def test_offset_and_limit_reach_a_thousand_hits_together(
    folder: Folder, offset: int, limit: int
) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("even/000.png"), offset=offset, limit=limit)
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await service.stub.Search(request)
    assert reason_of(refusal.value) == "INVALID_OPTION"
    assert details_of(refusal.value) == "The offset and the limit must be at most 1,000 together."


async def test_a_filter_leaves_the_order_of_what_it_lets_through(folder: Folder) -> None:
    july = {"taken_from": "2019-07-03", "taken_to": "2019-07-12"}
    filters: Sequence[dict[str, Any]] = (
        {"folder": "odd"},
        {"folder": "odd/"},
        july,
        {"folder": "even", **july},
    )
    async with running(settings_for(folder)) as service:
        for plain in queries(folder):
            everything = list((await service.stub.Search(whole(plain))).hits)
            for where in filters:
                request = whole(plain)
                request.MergeFrom(pb.SearchRequest(**where))
                hits = list((await service.stub.Search(request)).hits)
                assert hits == [hit for hit in everything if lets_through(where, hit)]
                assert hits and len(hits) < len(everything)


def lets_through(where: dict[str, str], hit: pb.Hit) -> bool:
    day = hit.taken_at[:10]
    return hit.path.startswith(where.get("folder", "")) and (
        "taken_from" not in where or where["taken_from"] <= day <= where["taken_to"]
    )


@pytest.mark.parametrize("switches", SWITCHES[1:])
async def test_only_what_a_filter_lets_through_is_verified_located_and_expanded_with(
    scenes: Folder, switches: dict[str, Any]
) -> None:
    async with running(unhurried(scenes)) as service:
        for request in queries(scenes):
            request.MergeFrom(pb.SearchRequest(folder="even", **switches))
            hits = list((await service.stub.Search(whole(request))).hits)
            assert len(hits) >= 5
            assert all(hit.path.startswith("even/") for hit in hits)
            assert await page_by_page(service, request, limit=3) == hits


async def test_a_match_in_another_folder_stays_out(scenes: Folder) -> None:
    request = pb.SearchRequest(image_id=scenes.id_of("odd/003.png"), folder="even")
    async with running(unhurried(scenes)) as service:
        assert not any(hit.HasField("match") for hit in (await service.stub.Search(request)).hits)
        request.folder = "odd"
        assert (await service.stub.Search(request)).hits[0].path == "odd/turned.png"


@pytest.mark.parametrize("folder_name", ["/etc", "../images", "odd/../even", "./odd", "odd//"])
async def test_a_folder_outside_is_refused(folder: Folder, folder_name: str) -> None:
    await assert_refused(folder, "INVALID_OPTION", "relative to the indexed one", folder=folder_name)


async def test_a_folder_without_photos_says_so(folder: Folder) -> None:
    await assert_refused(folder, "UNKNOWN_FOLDER", "No indexed photo is in this folder", folder="other")


async def test_days_that_are_none_or_in_the_wrong_order_are_refused(folder: Folder) -> None:
    await assert_refused(folder, "INVALID_OPTION", "such as 2019-07-14", taken_from="July")
    reversed_days = {"taken_from": "2019-07-02", "taken_to": "2019-07-01"}
    await assert_refused(folder, "INVALID_OPTION", "exchange them", **reversed_days)


async def assert_refused(indexed: Folder, reason: str, sentence: str, **options: str) -> None:
    request = pb.SearchRequest(image=pb.ImageFile(content=photo(1)), **options)  # type: ignore[arg-type]
    async with running(settings_for(indexed)) as service:
        with pytest.raises(grpc.aio.AioRpcError, match=sentence) as refusal:
            await service.stub.Search(request)
    assert reason_of(refusal.value) == reason


async def test_only_hits_of_the_least_score_are_found(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("even/000.png"), verify=False)
    async with running(settings_for(folder)) as service:
        everything = list((await service.stub.Search(whole(request))).hits)
        for min_score in (0.0, everything[4].score, everything[-1].score, 1.0):
            request.min_score = min_score
            hits = list((await service.stub.Search(whole(request))).hits)
            assert hits == [hit for hit in everything if hit.score >= min_score]
        request.min_score = 1.01
        with pytest.raises(grpc.aio.AioRpcError, match="from 0 to 1"):
            await service.stub.Search(request)


DIM = FakeBackbone.dim
ROWS = 1_500


def clustered(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((60, DIM))
    rows = np.maximum(centres[rng.integers(60, size=count)] + 0.5 * rng.standard_normal((count, DIM)), 0)
    unit: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return unit


def publish_rows(folder: Folder, kind: str, rows: np.ndarray) -> None:
    """Every tenth image in the folder `some`."""
    records = (
        ImageRecord(f"{n:032x}", (f"{'rest' if n % 10 else 'some'}/{n}.png",), 64, 48, "image/png", 1)
        for n in range(len(rows))
    )
    recipe = Recipe("fc6", DIM, FakeBackbone.identity, FakeBackbone.precision)
    images = list(zip(records, rows, strict=True))
    publish(folder.layout, SnapshotContent(recipe, "", len(images), images, (), IndexPlan(kind, 0.9)))


def vector(values: Sequence[float] | np.ndarray) -> pb.Vector:
    return pb.Vector(values=np.asarray(values, float).tolist())


@pytest.mark.parametrize("kind", KINDS)
async def test_pages_of_an_approximate_index_reach_a_thousand_without_a_repetition(
    tmp_path: Path, kind: str
) -> None:
    folder = Folder.at(tmp_path)
    publish_rows(folder, kind, clustered(1, ROWS))
    query = clustered(1, ROWS + 1)[-1]
    async with running(settings_for(folder)) as service:
        assert (await service.stub.GetIndex(pb.GetIndexRequest())).index_kind == kind
        by_30 = await page_by_page(service, pb.SearchRequest(vector=vector(query)), limit=30)
        by_100 = await page_by_page(service, pb.SearchRequest(vector=vector(query)), limit=100)
    common = min(len(by_30), len(by_100))
    assert common >= (900 if kind in ("pq", "opq") else 100)  # the others may run out of what they visit
    assert by_30[:common] == by_100[:common]
    for hits in (by_30, by_100):
        assert len({hit.image_id for hit in hits}) == len(hits)
        assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)


@pytest.mark.parametrize("few", [True, False], ids=["compared one by one", "found by the codes"])
@pytest.mark.parametrize("kind", KINDS)
async def test_an_approximate_index_finds_what_a_filter_lets_through(
    tmp_path: Path, kind: str, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not few:
        monkeypatch.setattr("extractor_service.search.engine.FEW_IMAGES", 0)
    folder = Folder.at(tmp_path)
    rows = clustered(2, ROWS)
    publish_rows(folder, kind, rows)
    query = clustered(2, ROWS + 1)[-1].astype(np.float64)
    distances = np.linalg.norm(rows[::10].astype(np.float64) - query / np.linalg.norm(query), axis=1)
    async with running(settings_for(folder)) as service:
        request = pb.SearchRequest(vector=vector(query), folder="some")
        answer = await service.stub.Search(request)
        everything = await page_by_page(service, request, limit=100)
    assert answer.index.approximate is not few
    assert all(hit.path.startswith("some/") for hit in everything)
    found = [hit.distance for hit in answer.hits]
    agreeing = np.isclose(found, np.sort(distances)[:30], atol=1e-4)
    assert agreeing.all() if few else np.mean([far <= np.sort(distances)[29] + 1e-4 for far in found]) >= 0.8
