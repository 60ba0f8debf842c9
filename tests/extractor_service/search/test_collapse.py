"""Results that are one picture stand as one, over real gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicates import Duplicates, write_duplicates
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.search.test_duplicates import pair
from tests.extractor_service.serving import Folder, photo, running, settings_for

PHOTOS = 8


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Eight photos, of which three are known to be one picture, and two to be two shots."""
    folder = Folder.at(tmp_path, seeds=range(PHOTOS))
    folder.publish()
    found = {
        pair(folder, "001.png", "002.png"): Kinship.ALTERED,
        pair(folder, "002.png", "003.png"): Kinship.IDENTICAL,
        pair(folder, "004.png", "005.png"): Kinship.SIMILAR,
    }
    write_duplicates(folder.layout, Duplicates("", set(), found))
    return folder


def search(**options: object) -> pb.SearchRequest:
    return pb.SearchRequest(image=pb.ImageFile(content=photo(0)), **options)  # type: ignore[arg-type]


async def test_the_first_of_one_picture_stands_for_all(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        whole = await service.stub.Search(search())
        collapsed = await service.stub.Search(search(collapse=True))
    one_picture = [hit.path for hit in whole.hits if hit.path in ("001.png", "002.png", "003.png")]
    assert len(whole.hits) == PHOTOS
    assert [hit.path for hit in collapsed.hits] == [
        hit.path for hit in whole.hits if hit.path not in one_picture[1:]
    ]
    [first] = [hit for hit in collapsed.hits if hit.also]
    assert [first.path, *(other.path for other in first.also)] == one_picture
    assert not any(hit.also for hit in whole.hits)


async def test_pages_of_collapsed_results_continue_one_another(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        whole = await service.stub.Search(search(collapse=True))
        pages = [await service.stub.Search(search(collapse=True, limit=2, offset=i)) for i in (0, 2, 4)]
    assert [hit.path for page in pages for hit in page.hits] == [hit.path for hit in whole.hits]


async def test_without_anything_known_every_result_stands_for_itself(folder: Folder) -> None:
    folder.layout.duplicates_path.unlink()
    async with running(settings_for(folder)) as service:
        collapsed = await service.stub.Search(search(collapse=True))
    assert len(collapsed.hits) == PHOTOS
