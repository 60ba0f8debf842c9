"""Searches with words, over real gRPC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from imagesearch.backbones.base import Backbone, ModelIdentity, Precision
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import (
    Folder,
    details_of,
    load_fake,
    photo,
    png,
    reason_of,
    running,
    settings_for,
)
from tests.fakes import FakeClip

COLOURS = ("red", "orange", "gold", "green", "blue", "indigo", "white", "purple")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path)
    for colour in COLOURS:
        folder.add(f"{colour}.png", png(Image.new("RGB", (64, 48), colour)))
    folder.publish(FakeClip())
    return folder


def load_clip(identity: ModelIdentity, precision: Precision) -> Backbone:
    return FakeClip()


async def found(folder: Folder, **request: Any) -> list[pb.Hit]:
    async with running(settings_for(folder), load_clip) as service:
        return list((await service.stub.Search(pb.SearchRequest(**request))).hits)


async def refusal(folder: Folder, load: Any = load_clip, **request: Any) -> grpc.aio.AioRpcError:
    async with running(settings_for(folder), load) as service:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await service.stub.Search(pb.SearchRequest(**request))
    return raised.value


@pytest.mark.parametrize("colour", COLOURS)
async def test_words_find_what_they_name(folder: Folder, colour: str) -> None:
    hits = await found(folder, text=colour)
    assert hits[0].path == f"{colour}.png"
    assert len(hits) == len(COLOURS)


async def test_words_and_a_photo_are_combined_as_two_photos_are(folder: Folder) -> None:
    both = [pb.Photo(image_id=folder.id_of(name)) for name in ("red.png", "green.png")]
    by_photos = await found(folder, photos=pb.PhotoSet(positives=both))
    by_words = await found(folder, image_id=folder.id_of("green.png"), text="red")
    others = [(hit.path, round(hit.distance, 3)) for hit in by_words if hit.path != "red.png"]
    assert others == [(hit.path, round(hit.distance, 3)) for hit in by_photos]
    assert "green.png" not in [hit.path for hit in by_words]


async def test_words_stay_away_from_negative_photos(folder: Folder) -> None:
    away = pb.PhotoSet(negatives=[pb.Photo(image_id=folder.id_of("orange.png"))])
    names = [hit.path for hit in await found(folder, text="red", photos=away)]
    assert names[0] == "red.png"
    assert names.index("gold.png") > [hit.path for hit in await found(folder, text="red")].index("gold.png")


async def test_an_uploaded_photo_may_come_with_words(folder: Folder) -> None:
    async with running(settings_for(folder), load_clip) as service:
        request = pb.SearchRequest(image=pb.ImageFile(content=photo(1)), text="blue", preview=True)
        answer = await service.stub.Search(request)
    assert len(answer.hits) == len(COLOURS)
    assert [(shown.width, shown.height) for shown in answer.photos] == [(64, 48)]
    assert answer.photos[0].preview


async def test_scores_of_words_are_held_against_words(folder: Folder) -> None:
    """The words that scores are taken from are grey to this network, and so lie equally far from an image."""
    by_words = {hit.path: hit.score for hit in await found(folder, text="red")}
    assert by_words["red.png"] == max(by_words.values())
    assert all(0 <= score <= 1 for score in by_words.values())
    grey = [hit.score for hit in await found(folder, text="grey")]
    assert grey == sorted(grey, reverse=True)
    assert grey[-1] == 0


async def test_the_index_says_whether_it_knows_words(folder: Folder) -> None:
    for load, expected in ((load_clip, True), (load_fake, False)):
        async with running(settings_for(folder), load) as service:
            assert (await service.stub.GetIndex(pb.GetIndexRequest())).text is expected


async def test_a_network_without_words_says_so(folder: Folder) -> None:
    for request in ({"text": "red"}, {"text": "red", "image_id": folder.id_of("red.png")}):
        error = await refusal(folder, load_fake, **request)
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert reason_of(error) == "TEXT_UNAVAILABLE"
        assert "a model that has a text tower" in details_of(error)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"text": " \n\t"}, "blank"),
        ({"text": "x" * 1_001}, "1,000 characters"),
        ({"text": "red", "vector": pb.Vector(values=[1.0])}, "not with a vector"),
        ({"text": "red", "region": pb.Region(x=0, y=0, width=0.5, height=0.5)}, "A region needs an image"),
        ({"text": "red", "verify": True}, "Verification needs an image"),
        ({"text": "red", "localize": True}, "Localisation needs an image"),
    ],
)
async def test_words_that_will_not_do_are_refused(
    folder: Folder, request_: dict[str, Any], sentence: str
) -> None:
    error = await refusal(folder, **request_)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "INVALID_OPTION"
    assert sentence in details_of(error)


async def test_words_that_mean_nothing_are_told_so(folder: Folder) -> None:
    class Deaf(FakeClip):
        def embed_text(self, text: str) -> Any:
            return FakeClip.embed_text(self, text) * (text != "gibberish")

    def load(identity: ModelIdentity, precision: Precision) -> Backbone:
        return Deaf()

    error = await refusal(folder, load, text="gibberish")
    assert "knows none of these words" in details_of(error)


async def test_any_script_is_taken(folder: Folder) -> None:
    for text in ("海辺の夕日", "🦊", "a\0b", "x" * 1_000):
        assert len(await found(folder, text=text)) == len(COLOURS)


async def test_words_may_be_expanded(folder: Folder) -> None:
    assert (await found(folder, text="red", expand=True))[0].path == "red.png"
