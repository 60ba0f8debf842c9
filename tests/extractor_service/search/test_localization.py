"""Searches that look for the query's object in each result, over real gRPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from extractor_service.settings import ExtractorSettings
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    Folder,
    details_of,
    png,
    reason_of,
    running,
    settings_for,
    textured,
)

# The fake network's map holds mean colours: a red object is found by its red, on a background without any.
RED, BLUE = (250, 20, 20), (0, 30, 200)


def scene(corner: tuple[int, int] | None, colour: tuple[int, int, int] = RED, green: int = 0) -> bytes:
    """320 × 240, blue, with a coloured object of 96 × 96 pixels whose top left corner is given."""
    image = Image.new("RGB", (320, 240), (BLUE[0], BLUE[1] + green, BLUE[2]))
    if corner is not None:
        image.paste(Image.new("RGB", (96, 96), colour), corner)
    return png(image)


def red_query() -> pb.ImageFile:
    return pb.ImageFile(content=png(Image.new("RGB", (64, 64), RED)))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Scenes with the object at several places, without it, and with another one."""
    folder = Folder.at(tmp_path)
    folder.add("left.png", scene((0, 48)))
    folder.add("right.png", scene((224, 144)))
    folder.add("none.png", scene(None))
    folder.add("green.png", scene((112, 64), colour=(20, 250, 20)))
    folder.add("black.png", png(Image.new("RGB", (320, 240))))
    for seed in range(8):
        folder.add(f"blue {seed}.png", scene(None, green=5 * seed))
    folder.publish(localization=True)
    return folder


def unhurried(folder: Folder, **changes: Any) -> ExtractorSettings:
    """On a busy machine the budget would run out before the candidates do."""
    return settings_for(folder, **({"localize_budget_ms": 60_000, "verify_budget_ms": 60_000} | changes))


def by_path(answer: pb.SearchResponse) -> dict[str, pb.Hit]:
    return {hit.path: hit for hit in answer.hits}


def share_inside(region: pb.Region, corner: tuple[int, int]) -> float:
    """Of the located part, how much lies on the scene's object."""
    left, top = corner[0] / 320, corner[1] / 240
    width = min(region.x + region.width, left + 96 / 320) - max(region.x, left)
    height = min(region.y + region.height, top + 96 / 240) - max(region.y, top)
    return max(width, 0) * max(height, 0) / (region.width * region.height)


async def test_results_with_the_object_come_first_and_tell_where_it_is(folder: Folder) -> None:
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=red_query(), localize=True))
    assert {hit.path for hit in answer.hits[:2]} == {"left.png", "right.png"}
    found = by_path(answer)
    assert share_inside(found["left.png"].located, (0, 48)) > 0.99
    assert share_inside(found["right.png"].located, (224, 144)) > 0.99
    assert answer.timings.localize_ms > 0


async def test_without_localize_nothing_is_located(folder: Folder) -> None:
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=red_query()))
    assert not any(hit.HasField("located") for hit in answer.hits)
    assert answer.timings.localize_ms == 0
    distances = [hit.distance for hit in answer.hits]
    assert distances == sorted(distances)


async def test_a_black_picture_answers_nothing_and_follows_the_others(folder: Folder) -> None:
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=red_query(), localize=True))
    assert answer.hits[-1].path == "black.png"
    assert not answer.hits[-1].HasField("located")
    assert all(hit.HasField("located") for hit in answer.hits[:-1])


async def test_a_black_query_leaves_results_in_order_of_distance(folder: Folder) -> None:
    request = pb.SearchRequest(image=pb.ImageFile(content=png(Image.new("RGB", (50, 50)))))
    async with running(unhurried(folder)) as service:
        plain = await service.stub.Search(request)
        request.localize = True
        localized = await service.stub.Search(request)
    assert [hit.path for hit in localized.hits] == [hit.path for hit in plain.hits]
    assert not any(hit.HasField("located") for hit in localized.hits)


async def test_an_indexed_image_is_looked_for_by_its_stored_map(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("left.png"), localize=True)
    async with running(unhurried(folder, images_dir=folder.store_dir / "no photos")) as service:
        answer = await service.stub.Search(request)
    assert answer.hits[0].path == "right.png"
    assert answer.timings.decode_ms == 0
    assert "left.png" not in by_path(answer)


async def test_a_region_of_the_query_alone_is_looked_for(folder: Folder) -> None:
    """And so a located part can be zoomed in on."""
    request = pb.SearchRequest(image_id=folder.id_of("left.png"), localize=True)
    async with running(unhurried(folder)) as service:
        request.region.CopyFrom(pb.Region(x=0, y=0.2, width=0.3, height=0.4))
        red = await service.stub.Search(request)
        request.region.CopyFrom(pb.Region(x=0.5, y=0, width=0.5, height=1))
        blue = await service.stub.Search(request)
    assert red.hits[0].path == "right.png"
    assert share_inside(red.hits[0].located, (224, 144)) > 0.99
    assert share_inside(by_path(blue)["right.png"].located, (224, 144)) == 0


async def test_of_several_photos_the_one_answered_best_counts(folder: Folder) -> None:
    green = pb.Photo(image=pb.ImageFile(content=png(Image.new("RGB", (64, 64), (20, 250, 20)))))
    red = pb.Photo(image=red_query())
    request = pb.SearchRequest(photos=pb.PhotoSet(positives=[red, green]), localize=True)
    async with running(unhurried(folder)) as service:
        both = await service.stub.Search(request)
        del request.photos.positives[1]
        request.photos.negatives.append(green)
        red_not_green = await service.stub.Search(request)
    assert {hit.path for hit in both.hits[:3]} == {"left.png", "right.png", "green.png"}
    assert {hit.path for hit in red_not_green.hits[:2]} == {"left.png", "right.png"}


async def test_only_the_first_candidates_are_localised_also_beyond_the_limit(folder: Folder) -> None:
    request = pb.SearchRequest(image=red_query(), limit=100)
    async with running(unhurried(folder)) as service:
        plain = [hit.path for hit in (await service.stub.Search(request)).hits]
    place = max(plain.index("left.png"), plain.index("right.png"))
    async with running(unhurried(folder, localize_candidates=place)) as service:
        request.localize = True
        answer = await service.stub.Search(request)
    localized = [hit.path for hit in answer.hits if hit.HasField("located")]
    assert set(localized) == set(plain[:place]) - {"black.png"}
    assert [hit.path for hit in answer.hits[len(localized) :] if hit.path != "black.png"] == [
        path for path in plain[place:] if path != "black.png"
    ]
    request.limit = 1
    async with running(unhurried(folder)) as service:
        [first] = (await service.stub.Search(request)).hits
    assert first.path in ("left.png", "right.png")


async def test_what_is_not_reached_in_time_follows_in_its_order(folder: Folder) -> None:
    for seed in range(200):
        folder.add(f"more {seed}.png", png(textured(seed)))
    folder.publish(localization=True)
    request = pb.SearchRequest(image_id=folder.id_of("more 1.png"), limit=100)
    async with running(unhurried(folder, localize_budget_ms=1)) as service:
        plain = [hit.path for hit in (await service.stub.Search(request)).hits]
        request.localize = True
        hurried = await service.stub.Search(request)
    reached = sum(hit.HasField("located") for hit in hurried.hits)
    assert 1 <= reached < 100
    assert sorted(hit.path for hit in hurried.hits[:reached]) == sorted(plain[:reached])
    assert [hit.path for hit in hurried.hits[reached:]] == plain[reached:]


async def test_a_verified_match_goes_before_a_better_located_part(folder: Folder) -> None:
    """Both options: the located part's cosine and the share of convincing inliers add up."""
    folder.add("texture.png", png(textured(1)))
    folder.add("copy.png", png(textured(1).rotate(180)))
    folder.publish(localization=True, local_features=True)
    request = pb.SearchRequest(image_id=folder.id_of("texture.png"), localize=True, verify=True)
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
        assert answer.timings.verify_ms > 0 and answer.timings.localize_ms > 0
    assert answer.hits[0].path == "copy.png"
    assert answer.hits[0].HasField("match") and answer.hits[0].HasField("located")
    assert all(hit.HasField("located") for hit in answer.hits if hit.path != "black.png")


async def test_expansion_goes_with_it(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("left.png"), localize=True, expand=True)
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
        request.localize = False
        plain = await service.stub.Search(request)
    assert answer.hits[0].path == "right.png"
    assert {hit.path: hit.distance for hit in answer.hits} == {hit.path: hit.distance for hit in plain.hits}


@pytest.mark.parametrize("size", [(20, 20), (3_000, 2), (1, 1), (2, 3_000)])
async def test_tiny_and_narrow_pictures_are_searched_with_and_found(
    folder: Folder, size: tuple[int, int]
) -> None:
    content = png(Image.new("RGB", size, RED))
    folder.add("odd.png", content)
    folder.publish(localization=True)
    request = pb.SearchRequest(image=pb.ImageFile(content=content), localize=True)
    async with running(unhurried(folder)) as service:
        answer = await service.stub.Search(request)
    first = answer.hits[0]
    assert first.path in ("odd.png", "left.png", "right.png")
    located = by_path(answer)["odd.png"].located
    assert 0 < located.width <= 1 and 0 < located.height <= 1


async def test_a_vector_cannot_be_looked_for(folder: Folder) -> None:
    request = pb.SearchRequest(vector=pb.Vector(values=[1.0] * 48), localize=True)
    async with running(unhurried(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert reason_of(failure.value) == "INVALID_OPTION"
    assert "vector" in details_of(failure.value)


async def test_a_store_without_maps_says_how_to_get_them_until_it_is_rebuilt(folder: Folder) -> None:
    folder.publish()
    request = pb.SearchRequest(image=red_query(), localize=True)
    async with running(unhurried(folder)) as service:
        assert not (await service.stub.GetIndex(pb.GetIndexRequest())).localization
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
        assert failure.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert reason_of(failure.value) == "OPTION_UNAVAILABLE"
        assert "INDEXER_LOCALIZATION=true" in details_of(failure.value)
        folder.publish(localization=True)
        await service.server._live.refresh()
        assert (await service.stub.GetIndex(pb.GetIndexRequest())).localization
        assert (await service.stub.Search(request)).hits[0].HasField("located")
