"""Searches with several photos, over real gRPC."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from extractor_service.live.live_index import LiveIndex
from extractor_service.search.closer_look import Effort, Efforts
from extractor_service.search.engine import Engine
from extractor_service.search.places import Places
from extractor_service.search.queries import FileQuery, PhotosQuery, SearchOptions
from imagesearch.backbones.base import Precision
from imagesearch.errors import UndecodableImage
from imagesearch.ranking.expansion import NEGATIVE_WEIGHT
from imagesearch.store.snapshot import Snapshot
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    LIMITS,
    Folder,
    GatedBackbone,
    details_of,
    load_fake,
    photo,
    png,
    reason_of,
    running,
    settings_for,
    textured,
    wait_until,
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path, seeds=range(12))
    folder.publish()
    return folder


def by_id(folder: Folder, name: str) -> pb.Photo:
    return pb.Photo(image_id=folder.id_of(name))


def by_bytes(content: bytes) -> pb.Photo:
    return pb.Photo(image=pb.ImageFile(content=content))


def several(
    positives: list[pb.Photo], negatives: list[pb.Photo] | None = None, **options: Any
) -> pb.SearchRequest:
    return pb.SearchRequest(photos=pb.PhotoSet(positives=positives, negatives=negatives or []), **options)


def brute_force(folder: Folder, positives: list[str], negatives: list[str]) -> list[tuple[str, float]]:
    """Paths and distances of all others by the definition, ties by id."""
    with Snapshot.open(folder.layout) as snapshot:
        records = snapshot.page("", 1_000)
        rows = {record.paths[0]: snapshot.descriptors[row] for row, record in enumerate(records)}
    query = np.mean([rows[name].astype(np.float64) for name in positives], axis=0)
    if negatives:
        query -= NEGATIVE_WEIGHT * np.mean([rows[name].astype(np.float64) for name in negatives], axis=0)
    query /= np.linalg.norm(query)
    others = [record for record in records if record.paths[0] not in (*positives, *negatives)]
    hits = [(record.paths[0], float(np.linalg.norm(rows[record.paths[0]] - query))) for record in others]
    return sorted(hits, key=lambda hit: hit[1])


async def test_results_are_ranked_by_the_combination_without_the_photos_themselves(folder: Folder) -> None:
    liked, disliked = ["003.png", "007.png"], ["001.png", "005.png"]
    request = several([by_id(folder, name) for name in liked], [by_id(folder, name) for name in disliked])
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(request)
    expected = brute_force(folder, liked, disliked)
    assert [hit.path for hit in answer.hits] == [path for path, _ in expected]
    assert [hit.distance for hit in answer.hits] == pytest.approx([far for _, far in expected], abs=1e-4)


async def test_files_and_indexed_images_go_together(folder: Folder) -> None:
    request = several([by_bytes(photo(3)), by_id(folder, "007.png")], [by_bytes(photo(1))], preview=True)
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(request)
        assert answer.timings.decode_ms > 0
    expected = brute_force(folder, ["003.png", "007.png"], ["001.png"])
    # A file is not known to be an indexed image, so it may find itself.
    found = [hit.path for hit in answer.hits if hit.path not in ("003.png", "001.png")]
    assert found == [path for path, _ in expected]
    assert "003.png" in [hit.path for hit in answer.hits]
    assert [(each.image_id, each.negative, each.width, each.height) for each in answer.photos] == [
        ("", False, 64, 48),
        (folder.id_of("007.png"), False, 64, 48),
        ("", True, 64, 48),
    ]
    assert all(each.preview[8:12] == b"WEBP" for each in answer.photos)
    assert (answer.query.width, answer.query.height) == (64, 48)


async def test_one_photo_in_the_set_is_a_search_with_one_photo(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        alone = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("003.png")))
        of_one = await service.stub.Search(several([by_id(folder, "003.png")]))
        twice = await service.stub.Search(several([by_id(folder, "003.png")] * 2, limit=3))
    assert [hit.path for hit in of_one.hits] == [hit.path for hit in alone.hits]
    assert [hit.path for hit in twice.hits] == [hit.path for hit in alone.hits[:3]]


async def test_a_distance_bound_counts_from_the_combination(folder: Folder) -> None:
    request = several([by_id(folder, "003.png"), by_id(folder, "007.png")])
    async with running(settings_for(folder)) as service:
        everything = await service.stub.Search(request)
        request.max_distance = everything.hits[2].distance
        near = await service.stub.Search(request)
    assert list(near.hits) == list(everything.hits[:3])


async def test_expansion_starts_from_the_combination(folder: Folder) -> None:
    request = several([by_id(folder, "003.png"), by_id(folder, "007.png")], expand=True)
    async with running(settings_for(folder)) as service:
        widened = await service.stub.Search(request)
        request.expand = False
        plain = await service.stub.Search(request)
    assert {hit.path for hit in widened.hits} == {hit.path for hit in plain.hits}
    assert widened.hits[0].distance < plain.hits[0].distance


async def test_photos_of_one_query_go_through_the_network_together(folder: Folder) -> None:
    backbone = GatedBackbone()
    request = several([by_bytes(photo(seed)) for seed in range(20, 26)])
    async with running(settings_for(folder, decode_workers=2), backbone.load) as service:
        await service.stub.Search(request)
    # The network may have begun with the first before the others were handed over.
    assert backbone.runs[-1] in (5, 6)


TOO_MANY = [pb.Photo(image_id="0" * 32)] * 5
INVALID = {
    "no positive": (several([], [by_bytes(photo(1))]), "INVALID_OPTION"),
    "nothing at all": (several([]), "INVALID_OPTION"),
    "nine": (several(TOO_MANY, TOO_MANY[:4]), "INVALID_OPTION"),
    "a photo of nothing": (several([pb.Photo(), by_bytes(photo(1))]), "INVALID_OPTION"),
    "a part": (
        several([by_bytes(photo(1))] * 2, region=pb.Region(x=0, y=0, width=0.5, height=1)),
        "INVALID_OPTION",
    ),
    "a text among photos": (several([by_bytes(photo(1)), by_bytes(b"hello")]), "UNSUPPORTED_IMAGE_TYPE"),
    "an empty file": (several([by_bytes(photo(1))], [by_bytes(b"")]), "EMPTY_IMAGE"),
}


@pytest.mark.parametrize("case", INVALID)
async def test_a_bad_set_is_the_callers_fault_and_says_why(folder: Folder, case: str) -> None:
    request, reason = INVALID[case]
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failure.value) == reason
    assert details_of(failure.value).endswith(".")


async def test_an_unknown_id_among_others_is_not_found(folder: Folder) -> None:
    request = several([by_id(folder, "003.png")], [pb.Photo(image_id="0" * 32)])
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert reason_of(failure.value) == "UNKNOWN_IMAGE"


class HeldPool:
    """A decode pool whose tasks end when a test says so."""

    def __init__(self) -> None:
        self.tasks: list[Future[Any]] = []

    def submit(self, function: Any, *args: Any, client: str) -> Future[Any]:
        self.tasks.append(Future())
        return self.tasks[-1]


async def test_a_photo_that_cannot_be_decoded_takes_the_others_out_of_the_queue(folder: Folder) -> None:
    live = LiveIndex(folder.layout, load_fake, Precision.AUTO, max_batch=1, threads=1)
    pool = HeldPool()
    efforts = Efforts(Effort(40, 0.4), Effort(40, 0.4))
    engine = Engine(live, pool, LIMITS, Path(), Places(1, 10**9), 1, efforts)  # type: ignore[arg-type]
    await live.refresh()
    query = PhotosQuery((FileQuery(photo(1)), FileQuery(photo(2))), (FileQuery(photo(3)),))
    search = asyncio.create_task(engine.search(query, SearchOptions()))
    await wait_until(lambda: len(pool.tasks) == 3)
    pool.tasks[1].set_exception(UndecodableImage("Damaged."))
    with pytest.raises(UndecodableImage):
        await search
    await asyncio.sleep(0)
    assert pool.tasks[0].cancelled()
    assert pool.tasks[2].cancelled()
    engine.close()
    live.close()


@pytest.fixture
def scenes(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path)
    for seed in range(8):
        folder.add(f"{seed:03d}.png", png(textured(seed)))
    folder.add("003 turned.png", png(textured(3).rotate(90, expand=True)))
    folder.publish(local_features=True)
    return folder


def left_half(seed: int) -> bytes:
    return png(textured(seed).crop((0, 0, 160, 240)))


async def test_each_positive_photo_is_looked_for_and_no_negative_one(scenes: Folder) -> None:
    request = several(
        [by_bytes(left_half(7)), by_id(scenes, "003.png")], [by_bytes(left_half(5))], verify=True
    )
    async with running(settings_for(scenes, verify_budget_ms=60_000)) as service:
        answer = await service.stub.Search(request)
    matches = {hit.path: hit.match.photo for hit in answer.hits if hit.HasField("match")}
    assert matches == {"007.png": 0, "003 turned.png": 1}
    assert {hit.path for hit in answer.hits[:2]} == set(matches)


async def test_the_photo_with_most_matching_points_counts(scenes: Folder) -> None:
    quarter = png(textured(7).crop((0, 0, 160, 120)))
    request = several([by_bytes(quarter), by_bytes(left_half(7))], verify=True)
    async with running(settings_for(scenes, verify_budget_ms=60_000)) as service:
        answer = await service.stub.Search(request)
        alone = await service.stub.Search(several([by_bytes(quarter)], verify=True))
    assert answer.hits[0].path == "007.png"
    assert answer.hits[0].match.photo == 1
    assert answer.hits[0].match.inliers > alone.hits[0].match.inliers


async def test_all_photos_share_one_budget(scenes: Folder) -> None:
    request = several([by_id(scenes, f"{seed:03d}.png") for seed in range(4)], verify=True)
    async with running(settings_for(scenes, verify_budget_ms=1)) as service:
        answer = await service.stub.Search(request)
    assert len(answer.hits) == 5
    assert answer.timings.verify_ms < 1_000


async def test_matched_points_lie_on_the_same_spot_of_both_photos(scenes: Folder) -> None:
    """The query is the left half, and of that its lower part: x halves, y stays."""
    region = pb.Region(x=0, y=0.5, width=1, height=0.5)
    request = pb.SearchRequest(
        image=pb.ImageFile(content=left_half(7)), region=region, verify=True, points=True
    )
    async with running(settings_for(scenes, verify_budget_ms=60_000)) as service:
        match = (await service.stub.Search(request)).hits[0].match
        request.points = False
        without = (await service.stub.Search(request)).hits[0].match
    assert len(match.query_points) == len(match.result_points) == match.inliers > 20
    query = np.array([(point.x, point.y) for point in match.query_points])
    result = np.array([(point.x, point.y) for point in match.result_points])
    assert query[:, 1].min() >= 0.49
    np.testing.assert_allclose(result, query * [0.5, 1], atol=0.02)
    assert not without.query_points
    assert not without.result_points
