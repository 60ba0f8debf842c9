"""ListDuplicates over real gRPC."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicates import Duplicates, Pair, write_duplicates
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import Folder, photo, reason_of, running, settings_for


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Five photos, one of them under two names."""
    folder = Folder.at(tmp_path, seeds=range(5))
    folder.add("album/again.png", photo(0))
    folder.publish()
    return folder


def pair(folder: Folder, one: str, other: str) -> Pair:
    left, right = sorted((folder.id_of(one), folder.id_of(other)))
    return left, right


def paths(answer: pb.ListDuplicatesResponse) -> list[list[str]]:
    return [sorted(file.path for file in group.files) for group in answer.groups]


async def test_groups_follow_what_the_indexer_finds(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        identical = await service.stub.ListDuplicates(pb.ListDuplicatesRequest())
        assert (identical.kind, identical.total, paths(identical)) == (
            "identical", 1, [["000.png", "album/again.png"]],
        )  # fmt: skip
        assert [file.keep for file in identical.groups[0].files] == [True, False]
        found = {
            pair(folder, "001.png", "002.png"): Kinship.ALTERED,
            pair(folder, "002.png", "003.png"): Kinship.SIMILAR,
            ("0" * 32, "f" * 32): Kinship.ALTERED,  # of photos that are gone
        }
        write_duplicates(folder.layout, Duplicates("", set(), found))
        altered = await service.stub.ListDuplicates(pb.ListDuplicatesRequest(kind="altered"))
        similar = await service.stub.ListDuplicates(pb.ListDuplicatesRequest(kind="similar"))
    assert paths(altered) == [["001.png", "002.png"]]
    assert paths(similar) == [["001.png", "002.png", "003.png"]]


async def test_an_unknown_kind_is_an_invalid_option(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await service.stub.ListDuplicates(pb.ListDuplicatesRequest(kind="alike"))
    assert reason_of(error.value) == "INVALID_OPTION"
