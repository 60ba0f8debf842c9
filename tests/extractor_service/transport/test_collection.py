"""The calls that tell of the collection, over real gRPC."""

from __future__ import annotations

import io
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

from imagesearch.pictures.renderings import jpeg
from imagesearch.store.indexing import Indexing, write_indexing
from imagesearch.store.left_out import write_left_out
from imagesearch.store.records import RefusedFile
from imagesearch.store.thumbnails import write_preview
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import Folder, photo, reason_of, running, settings_for


async def test_get_image_tells_all_paths_of_the_same_bytes(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=[1, 2])
    folder.add("copies/again.png", photo(1))
    folder.publish()
    image_id = folder.id_of("001.png")
    async with running(settings_for(folder)) as service:
        answer = await service.stub.GetImage(pb.GetImageRequest(image_id=image_id))
    assert answer.image == pb.ImageRecord(
        image_id=image_id,
        paths=["001.png", "copies/again.png"],
        width=64,
        height=48,
        media_type="image/png",
        size_bytes=len(photo(1)),
    )


async def test_get_index_describes_the_snapshot(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(3))
    refused = RefusedFile("broken.jpg", "UNDECODABLE_IMAGE", "The image cannot be decoded.")
    manifest = folder.publish(refused=[refused], note="It was the only one there.")
    async with running(settings_for(folder)) as service:
        answer = await service.stub.GetIndex(pb.GetIndexRequest())
    assert answer.summary.count == 3
    assert answer.dimensions == 48
    assert answer.model_digest == "f" * 64
    assert answer.model_note == "It was the only one there."
    assert (answer.index_precision, answer.query_precision) == ("f32", "f32")
    assert answer.index_kind == "exact"
    assert answer.build_time.ToDatetime().strftime("%Y-%m-%dT%H:%M:%SZ") == manifest.created
    assert list(answer.refused) == [
        pb.RefusedFile(path=refused.path, reason=refused.reason, detail=refused.detail)
    ]
    assert answer.refused_count == 1


async def test_the_index_tells_of_the_indexer_at_work_before_there_is_a_snapshot_and_after(
    tmp_path: Path,
) -> None:
    folder = Folder.at(tmp_path, range(3))
    indexing = Indexing("describing", 20, 300, 12.5, "2026-01-31T12:00:00Z")
    expected = pb.Indexing(phase="describing", done=20, total=300, per_second=12.5)
    expected.started_at.FromJsonString("2026-01-31T12:00:00Z")
    async with running(settings_for(folder), ready=False) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.GetIndex(pb.GetIndexRequest())
        assert reason_of(failure.value) == "INDEX_NOT_READY"
        write_indexing(folder.layout, indexing)
        answer = await service.stub.GetIndex(pb.GetIndexRequest())
        assert answer == pb.GetIndexResponse(indexing=expected)
        folder.publish()
        await service.server.ready()
        answer = await service.stub.GetIndex(pb.GetIndexRequest())
        assert (answer.summary.count, answer.indexing) == (3, expected)
        folder.layout.indexing_path.unlink()
        answer = await service.stub.GetIndex(pb.GetIndexRequest())
        assert not answer.HasField("indexing")


async def test_listing_pages_through_every_image_once(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        first = await service.stub.ListImages(pb.ListImagesRequest(page_size=5))
        second = await service.stub.ListImages(
            pb.ListImagesRequest(page_size=5, page_token=first.next_page_token)
        )
        last = await service.stub.ListImages(
            pb.ListImagesRequest(page_size=2, page_token=second.next_page_token)
        )
        whole = await service.stub.ListImages(pb.ListImagesRequest())
    ids = [image.image_id for page in (first, second, last) for image in page.images]
    assert ids == sorted(ids) == [image.image_id for image in whole.images]
    assert len(set(ids)) == 12
    assert last.next_page_token == whole.next_page_token == ""


async def test_folders_are_listed_with_as_many_images_as_a_search_in_them_finds(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(3))
    for seed, name in enumerate(["a/b/0.png", "a/1.png", "写真/2.png"], start=10):
        folder.add(name, photo(seed))
    folder.publish()
    async with running(settings_for(folder)) as service:
        answer = await service.stub.ListFolders(pb.ListFoldersRequest())
        assert [(each.path, each.count) for each in answer.folders] == [("a", 2), ("a/b", 1), ("写真", 1)]
        assert answer.total == 3
        for each in answer.folders:
            request = pb.SearchRequest(image=pb.ImageFile(content=photo(1)), folder=each.path)
            assert len((await service.stub.Search(request)).hits) == each.count


async def test_of_very_many_folders_the_upper_ones_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractor_service.search.collection.MAX_FOLDERS", 3)
    folder = Folder.at(tmp_path)
    for seed, name in enumerate(["a/b/c/0.png", "d/e/1.png", "f/2.png"]):
        folder.add(name, photo(seed))
    folder.publish()
    async with running(settings_for(folder)) as service:
        answer = await service.stub.ListFolders(pb.ListFoldersRequest())
    assert ([each.path for each in answer.folders], answer.total) == (["a", "d", "f"], 6)


async def test_refused_files_are_listed_in_pages(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, range(2))
    files = [RefusedFile(f"{place:04d}.jpg", "EMPTY_IMAGE", "The file is empty.") for place in range(1_205)]
    folder.publish(refused=files)
    async with running(settings_for(folder)) as service:
        write_left_out(folder.layout, {"@eaDir": 3})
        first = await service.stub.ListRefused(pb.ListRefusedRequest())
        assert first.left_out == {"@eaDir": 3}
        rest = await service.stub.ListRefused(pb.ListRefusedRequest(limit=1_000, offset=1_200))
        beyond = await service.stub.ListRefused(pb.ListRefusedRequest(offset=2**64 - 1))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.ListRefused(pb.ListRefusedRequest(limit=1_001))
    assert [file.path for file in first.refused] == [file.path for file in files[:100]]
    assert [file.path for file in rest.refused] == [file.path for file in files[1_200:]]
    assert (rest.refused[0].reason, rest.refused[0].detail) == ("EMPTY_IMAGE", "The file is empty.")
    assert (first.total, beyond.total, list(beyond.refused)) == (1_205, 1_205, [])
    assert reason_of(failure.value) == "INVALID_OPTION"


async def test_a_sample_is_spread_over_the_collection_and_another_one_for_each_seed(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        whole = list((await service.stub.ListImages(pb.ListImagesRequest())).images)
        samples = [
            await service.stub.ListImages(pb.ListImagesRequest(page_size=4, sample=True, seed=seed))
            for seed in (0, 1, 1, 2)
        ]
    plain, first, again, second = [list(sample.images) for sample in samples]
    assert plain == whole[::3]
    assert samples[0].next_page_token == ""
    assert first == again
    assert len({image.image_id for image in [*first, *second]}) > 4
    for sample in (first, second):
        assert [whole.index(image) // 3 for image in sample] == [0, 1, 2, 3]


async def test_a_folder_is_listed_in_order_of_path_each_image_once(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path)
    for number, name in enumerate(["b/2.png", "b/1.png", "b/c/3.png", "a/0.png", "b0/9.png"]):
        folder.add(name, photo(number))
    for copy in ("b/4.png", "a/copy.png"):
        folder.add(copy, photo(0))
    folder.publish()

    async with running(settings_for(folder)) as service:

        async def listed(token: str) -> tuple[list[str], str]:
            request = pb.ListImagesRequest(folder="b", page_size=2, page_token=token)
            answer = await service.stub.ListImages(request)
            return [image.paths[0] for image in answer.images], answer.next_page_token

        first, token = await listed("")
        rest, end = await listed(token)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.ListImages(pb.ListImagesRequest(folder="nowhere"))
    assert (first, rest, end) == (["b/1.png", "b/2.png"], ["b/c/3.png"], "")
    assert reason_of(failure.value) == "UNKNOWN_FOLDER"


async def test_a_preview_that_the_store_has_needs_no_original(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path)
    folder.add("wide.png", photo(1, width=1_000, height=500))
    folder.publish()
    preview = jpeg(np.zeros((256, 512, 3), np.uint8), 512)
    request = pb.GetThumbnailRequest(image_id=folder.id_of("wide.png"), size=512)
    write_preview(folder.layout, request.image_id, preview)
    (folder.images_dir / "wide.png").unlink()
    async with running(settings_for(folder)) as service:
        assert b"".join([message.chunk async for message in service.stub.GetThumbnail(request)]) == preview


async def test_a_rendering_is_made_from_the_original_upright_and_never_larger(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path)
    folder.add("wide.png", photo(1, width=1_000, height=500))
    folder.publish()
    image_id = folder.id_of("wide.png")

    async with running(settings_for(folder)) as service:

        async def size_of(size: int) -> tuple[int, int]:
            call = service.stub.GetThumbnail(pb.GetThumbnailRequest(image_id=image_id, size=size))
            picture = Image.open(io.BytesIO(b"".join([message.chunk async for message in call])))
            assert picture.format == ("JPEG" if size > 256 else "WEBP")
            return picture.size

        sizes = [await size_of(size) for size in (0, 256, 512, 1600)]
        with pytest.raises(grpc.aio.AioRpcError) as other_size:
            await size_of(300)
        (folder.images_dir / "wide.png").unlink()
        assert await size_of(0) == (256, 128)
        with pytest.raises(grpc.aio.AioRpcError) as gone:
            await size_of(512)
    assert sizes == [(256, 128), (256, 128), (512, 256), (1_000, 500)]
    assert (reason_of(other_size.value), reason_of(gone.value)) == ("INVALID_OPTION", "PHOTO_GONE")


@pytest.mark.parametrize(
    "request_",
    [
        pb.ListImagesRequest(page_size=1_001),
        pb.ListImagesRequest(sample=True, page_token="0" * 32),
        pb.ListImagesRequest(sample=True, folder="a"),
        pb.ListImagesRequest(sample=True, page_size=1_001),
    ],
    ids=["page too large", "sample with a token", "sample of a folder", "sample too large"],
)
async def test_a_bad_listing_is_the_callers_fault(folder: Folder, request_: pb.ListImagesRequest) -> None:
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.ListImages(request_)
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failure.value) == "INVALID_OPTION"
