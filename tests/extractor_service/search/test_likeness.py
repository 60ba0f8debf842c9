"""How alike results are called, over real gRPC."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import Folder, png, running, settings_for, textured


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path)
    for seed in range(12):
        folder.add(f"{seed:03d}.png", png(textured(seed)))
    folder.publish(local_features=True)
    return folder


async def likeness_of_first(folder: Folder, request: pb.SearchRequest) -> tuple[str, str]:
    """Path and word of the first result."""
    async with running(settings_for(folder, verify_budget_ms=60_000)) as service:
        first = (await service.stub.Search(request)).hits[0]
    return first.path, first.likeness


def of_file(content: bytes) -> pb.SearchRequest:
    return pb.SearchRequest(image=pb.ImageFile(content=content))


async def test_a_file_of_the_collection_is_identical_to_its_image(folder: Folder) -> None:
    content = (folder.images_dir / "005.png").read_bytes()
    assert await likeness_of_first(folder, of_file(content)) == ("005.png", "identical")


async def test_the_same_pixels_in_another_format_are_identical(folder: Folder) -> None:
    buffer = io.BytesIO()
    textured(5).save(buffer, "WEBP", lossless=True)
    assert await likeness_of_first(folder, of_file(buffer.getvalue())) == ("005.png", "identical")


@pytest.mark.parametrize(
    "altered",
    [
        textured(5).rotate(90, expand=True),
        textured(5).crop((80, 0, 320, 200)),
        textured(5).resize((160, 120), Image.Resampling.BICUBIC),
    ],
    ids=["turned", "cut", "scaled"],
)
async def test_another_picture_of_the_same_is_the_same_and_not_identical(
    folder: Folder, altered: Image.Image
) -> None:
    assert await likeness_of_first(folder, of_file(png(altered))) == ("005.png", "same")


async def test_a_part_of_a_file_is_not_called_identical_to_the_whole(folder: Folder) -> None:
    request = of_file((folder.images_dir / "005.png").read_bytes())
    request.region.CopyFrom(pb.Region(x=0, y=0, width=0.8, height=0.9))
    assert await likeness_of_first(folder, request) == ("005.png", "same")


async def test_without_geometry_a_small_collection_calls_nothing_alike(folder: Folder) -> None:
    request = of_file(png(textured(99)))
    request.verify = False
    assert (await likeness_of_first(folder, request))[1] == "weak"  # 12 photos make 66 pairs
