"""Searches with spatial verification, over real gRPC."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import pytest
from PIL import Image, ImageOps

from extractor_service.settings import ExtractorSettings
from imagesearch.local_features import LocalFeatures
from imagesearch.ranking import reranking
from imagesearch.ranking.verification import SpatialMatch, verify
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    Folder,
    details_of,
    photo,
    png,
    reason_of,
    running,
    settings_for,
    textured,
)

SCENES = 12


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Textured scenes, one of them twice, and one picture without any feature."""
    folder = Folder.at(tmp_path)
    for seed in range(SCENES):
        folder.add(f"{seed:03d}.png", png(textured(seed)))
    folder.add("003 turned.png", png(textured(3).rotate(90, expand=True)))
    folder.add("flat.png", png(Image.new("RGB", (64, 48), "teal")))
    folder.publish(local_features=True)
    return folder


def unhurried(folder: Folder, **changes: Any) -> ExtractorSettings:
    """On a busy machine the budget would run out before the candidates do."""
    return settings_for(folder, **({"verify_budget_ms": 60_000} | changes))


def left_half_upside_down(seed: int) -> bytes:
    return png(textured(seed).crop((0, 0, 160, 240)).rotate(180))


async def test_a_turned_part_of_a_photo_finds_it_first_and_where_it_lies(folder: Folder) -> None:
    request = pb.SearchRequest(image=pb.ImageFile(content=left_half_upside_down(7)), verify=True)
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
    first = answer.hits[0]
    assert first.path == "007.png"
    assert first.match.inliers > 20
    corners = [(corner.x, corner.y) for corner in first.match.quadrilateral]
    # The part's top left corner is the lower right one of the left half.
    np.testing.assert_allclose(corners, [(0.5, 1), (0, 1), (0, 0), (0.5, 0)], atol=0.03)
    assert answer.timings.verify_ms > 0
    others = answer.hits[1:]
    assert not any(hit.HasField("match") for hit in others)
    assert [hit.distance for hit in others] == sorted(hit.distance for hit in others)


def by_phone(seed: int) -> bytes:
    """The scene small, tilted and soft, among scenes that are not indexed."""
    other_scenes = Image.new("RGB", (640, 480))
    for number in range(4):
        other_scenes.paste(textured(900 + number), (320 * (number % 2), 240 * (number // 2)))
    shown = np.array([[200, 130], [420, 150], [410, 320], [190, 300]], np.float32)
    flat = np.array([[0, 0], [320, 0], [320, 240], [0, 240]], np.float32)
    tilted = cv2.getPerspectiveTransform(flat, shown)
    taken = np.asarray(other_scenes).copy()
    cv2.warpPerspective(
        np.asarray(textured(seed)), tilted, (640, 480), dst=taken, borderMode=cv2.BORDER_TRANSPARENT
    )
    return png(Image.fromarray(cv2.GaussianBlur(taken, (0, 0), 0.7)))


async def test_a_photo_by_phone_finds_the_picture_that_it_shows_small_and_tilted(folder: Folder) -> None:
    """The descriptor of the whole photo may choose no candidate but one, which is another."""
    content = pb.ImageFile(content=by_phone(4))
    async with running(unhurried(folder, verify_candidates=1)) as service:
        plain = await service.stub.Search(pb.SearchRequest(image=content, verify=False))
        found = await service.stub.Search(pb.SearchRequest(image=content))
    assert plain.hits[0].path != "004.png"
    assert (found.hits[0].path, found.hits[0].likeness) == ("004.png", "same")
    assert found.hits[0].rank_score > found.hits[1].rank_score


async def test_a_mirrored_photo_is_found_and_its_outline_runs_the_other_way(folder: Folder) -> None:
    mirrored = png(ImageOps.mirror(textured(5)))
    request = pb.SearchRequest(image=pb.ImageFile(content=mirrored), points=True)
    async with running(unhurried(folder)) as service:
        first = (await service.stub.Search(request)).hits[0]
    assert (first.path, first.likeness) == ("005.png", "same")
    corners = [(corner.x, corner.y) for corner in first.match.quadrilateral]
    np.testing.assert_allclose(corners, [(1, 0), (0, 0), (0, 1), (1, 1)], atol=0.03)
    pairs = zip(first.match.query_points, first.match.result_points, strict=True)
    assert all(abs(query.x + result.x - 1) < 0.03 for query, result in pairs)


async def test_a_query_is_verified_unless_it_says_otherwise(folder: Folder) -> None:
    content = pb.ImageFile(content=left_half_upside_down(7))
    several = pb.PhotoSet(positives=[pb.Photo(image=content)])
    async with running(unhurried(folder)) as service:
        by_itself = await service.stub.Search(pb.SearchRequest(image=content))
        asked_for = await service.stub.Search(pb.SearchRequest(image=content, verify=True))
        of_several = await service.stub.Search(pb.SearchRequest(photos=several))
    assert by_itself.hits[0].path == of_several.hits[0].path == "007.png"
    assert by_itself.hits[0].HasField("match")
    assert by_itself.hits == asked_for.hits


async def test_where_nothing_can_be_verified_nothing_is(folder: Folder) -> None:
    async with running(unhurried(folder)) as service:
        values = (await service.stub.Extract(pb.ExtractRequest(image=pb.ImageFile(content=photo(1))))).values
        vector = await service.stub.Search(pb.SearchRequest(vector=pb.Vector(values=values)))
    folder.publish(local_features=False)
    async with running(unhurried(folder)) as service:
        image = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("003.png")))
    assert not any(hit.HasField("match") for answer in (vector, image) for hit in answer.hits)
    assert vector.timings.verify_ms == image.timings.verify_ms == 0


async def test_without_verify_nothing_is_matched(folder: Folder) -> None:
    content = pb.ImageFile(content=left_half_upside_down(7))
    request = pb.SearchRequest(image=content, verify=False)
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
    assert not any(hit.HasField("match") for hit in answer.hits)
    assert answer.timings.verify_ms == 0


async def test_an_indexed_image_is_verified_by_its_stored_features(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("003.png"), verify=True, limit=1)
    async with running(unhurried(folder, images_dir=folder.store_dir / "no photos")) as service:
        answer = await service.stub.Search(request)
    assert [hit.path for hit in answer.hits] == ["003 turned.png"]
    assert answer.hits[0].match.inliers > 20
    assert answer.timings.decode_ms == 0


async def test_a_region_alone_is_looked_for(folder: Folder) -> None:
    request = pb.SearchRequest(
        image_id=folder.id_of("003.png"), region=pb.Region(x=0.5, y=0, width=0.5, height=1), verify=True
    )
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
    assert answer.hits[0].path == "003 turned.png"
    corners = [(corner.x, corner.y) for corner in answer.hits[0].match.quadrilateral]
    # Turned by 90° to the left, the right half has become the upper one.
    np.testing.assert_allclose(corners, [(0, 0.5), (0, 0), (1, 0), (1, 0.5)], atol=0.03)


async def test_local_features_find_what_the_descriptor_ranks_low(folder: Folder) -> None:
    """One candidate by descriptor, one by local features."""
    content = pb.ImageFile(content=left_half_upside_down(7))
    async with running(unhurried(folder, verify_candidates=1)) as service:
        plain = await service.stub.Search(pb.SearchRequest(image=content, verify=False))
        found = await service.stub.Search(pb.SearchRequest(image=content, verify=True))
        cut = await service.stub.Search(pb.SearchRequest(image=content, verify=True, limit=1))
    place = [hit.path for hit in plain.hits].index("007.png")
    assert place >= 1
    assert found.hits[0].path == cut.hits[0].path == "007.png"
    assert found.hits[0].distance == pytest.approx(plain.hits[place].distance, abs=1e-3)
    rest = [hit.path for hit in plain.hits if hit.path != "007.png"]
    assert [hit.path for hit in found.hits][1:] == rest


async def test_candidates_too_far_by_descriptor_are_left_out(folder: Folder) -> None:
    content = pb.ImageFile(content=left_half_upside_down(7))
    async with running(unhurried(folder, verify_candidates=1)) as service:
        plain = await service.stub.Search(pb.SearchRequest(image=content, verify=False))
        bound = plain.hits[0].distance + 1e-3
        near = await service.stub.Search(pb.SearchRequest(image=content, verify=True, max_distance=bound))
    assert [hit.path for hit in near.hits] == [plain.hits[0].path]


async def test_what_is_not_reached_in_time_keeps_its_place(folder: Folder) -> None:
    many = {f"more {seed}.png": png(textured(seed, 640, 480)) for seed in range(100, 140)}
    for name, content in many.items():
        folder.add(name, content)
    folder.publish(local_features=True)
    request = pb.SearchRequest(image_id=folder.id_of("more 100.png"), limit=100, verify=False)
    async with running(unhurried(folder, verify_budget_ms=1)) as service:
        plain = await service.stub.Search(request)
        request.verify = True
        hurried = await service.stub.Search(request)
    assert sorted(hit.path for hit in hurried.hits) == sorted(hit.path for hit in plain.hits)
    assert [hit.path for hit in hurried.hits][5:] == [hit.path for hit in plain.hits][5:]


async def test_with_nothing_to_match_results_stay_in_order_of_distance(folder: Folder) -> None:
    """A query without texture, and an indexed image without."""
    for query in (pb.SearchRequest(image=pb.ImageFile(content=photo(1))), pb.SearchRequest()):
        if not query.HasField("image"):
            query.image_id = folder.id_of("flat.png")
        async with running(unhurried(folder)) as service:
            plain = await service.stub.Search(query)
            query.verify = True
            verified = await service.stub.Search(query)
        assert list(verified.hits) == list(plain.hits)


@pytest.mark.parametrize("size", [(20, 20), (3_000, 2), (1, 1)])
async def test_tiny_and_narrow_queries_get_an_answer(folder: Folder, size: tuple[int, int]) -> None:
    content = png(textured(1).resize(size))
    request = pb.SearchRequest(image=pb.ImageFile(content=content), verify=True)
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
    assert len(answer.hits) == SCENES + 2


async def test_expansion_with_verified_results_finds_what_they_resemble(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("003.png"), verify=True, expand=True)
    async with running(unhurried(folder)) as service:
        widened = await service.stub.Search(request)
        request.expand = False
        plain = await service.stub.Search(request)
    assert widened.hits[0].path == plain.hits[0].path == "003 turned.png"
    # The query has moved halfway towards its one verified result.
    assert widened.hits[0].distance < 0.6 * plain.hits[0].distance
    assert widened.hits[0].match == plain.hits[0].match


async def test_the_setting_of_threads_holds_for_verification_and_for_all_searches_together(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[threading.Thread] = set()

    def watched(query: LocalFeatures, candidate: LocalFeatures) -> SpatialMatch | None:
        used.add(threading.current_thread())
        return verify(query, candidate)

    monkeypatch.setattr(reranking, "verify", watched)
    async with running(unhurried(folder, threads=1)) as service:
        for name in ("001.png", "002.png", "003.png"):
            await service.stub.Search(pb.SearchRequest(image_id=folder.id_of(name), verify=True))
    assert len(used) == 1


async def test_a_vector_cannot_be_verified(folder: Folder) -> None:
    request = pb.SearchRequest(vector=pb.Vector(values=[1.0] * 48), verify=True)
    async with running(unhurried(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert reason_of(failure.value) == "INVALID_OPTION"
    assert "vector" in details_of(failure.value)


async def test_a_store_without_local_features_says_how_to_get_them(folder: Folder) -> None:
    folder.publish()
    request = pb.SearchRequest(image_id=folder.id_of("001.png"), verify=True)
    async with running(unhurried(folder)) as service:
        assert not (await service.stub.GetIndex(pb.GetIndexRequest())).local_features
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert failure.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(failure.value) == "OPTION_UNAVAILABLE"
    assert "INDEXER_LOCAL_FEATURES" in details_of(failure.value)


async def test_the_index_says_that_it_can_be_verified(folder: Folder) -> None:
    async with running(unhurried(folder)) as service:
        assert (await service.stub.GetIndex(pb.GetIndexRequest())).local_features
