"""Searches and descriptions, over real gRPC."""

from __future__ import annotations

import io
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import ExifTags, Image

from imagesearch.store.snapshot import Snapshot
from protos.imagesearch.v1 import search_pb2 as pb
from tests.extractor_service.serving import Folder, details_of, photo, reason_of, running, settings_for
from tests.imagesearch.pictures.drawn import encoded, photo_like


def brute_force(folder: Folder, query: np.ndarray, count: int) -> list[tuple[str, float]]:
    """Ids and distances by the definition, ties by id."""
    with Snapshot.open(folder.layout) as snapshot:
        ids = [record.image_id for record in snapshot.page("", 1_000)]
        distances = np.linalg.norm(
            snapshot.descriptors[snapshot.descriptors.order].astype(np.float64) - query, axis=1
        )
    return sorted(zip(ids, distances.tolist(), strict=True), key=lambda hit: (hit[1], hit[0]))[:count]


def stored_descriptor(folder: Folder, image_id: str) -> np.ndarray:
    with Snapshot.open(folder.layout) as snapshot:
        row = snapshot.row_of(image_id)
        assert row is not None
        return snapshot.descriptors[row].astype(np.float64)


async def test_search_by_bytes_finds_the_image_itself_first(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(5))))
    first = answer.hits[0]
    assert (first.image_id, first.path) == (folder.id_of("005.png"), "005.png")
    assert first.distance < 0.01
    assert (first.width, first.height) == (64, 48)
    assert first.score == pytest.approx(1.0)
    assert not first.HasField("match")
    assert [hit.distance for hit in answer.hits] == sorted(hit.distance for hit in answer.hits)
    assert len(answer.hits) == 12
    assert (answer.query.width, answer.query.height) == (64, 48)
    assert not answer.query.HasField("region")
    assert answer.preview == b""


async def test_search_by_id_leaves_the_image_out_and_ranks_the_others_exactly(folder: Folder) -> None:
    image_id = folder.id_of("003.png")
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image_id=image_id, limit=4))
    expected = brute_force(folder, stored_descriptor(folder, image_id), 5)[1:]
    assert [hit.image_id for hit in answer.hits] == [image_id for image_id, _ in expected]
    assert [hit.distance for hit in answer.hits] == pytest.approx([distance for _, distance in expected])
    assert (answer.query.width, answer.query.height) == (64, 48)


async def test_search_by_id_needs_no_decoding_and_no_network(folder: Folder) -> None:
    request = pb.SearchRequest(image_id=folder.id_of("003.png"))
    async with running(settings_for(folder, images_dir=folder.store_dir / "no photos")) as service:
        answer = await service.stub.Search(request)
    assert (answer.timings.decode_ms, answer.timings.extract_ms) == (0, 0)
    assert 0 < answer.timings.search_ms <= answer.timings.total_ms


async def test_search_by_vector_normalises_it(folder: Folder) -> None:
    query = stored_descriptor(folder, folder.id_of("007.png"))
    request = pb.SearchRequest(vector=pb.Vector(values=(query * 1e20).tolist()), limit=3)
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(request)
    assert answer.hits[0].image_id == folder.id_of("007.png")
    assert answer.hits[0].distance < 1e-3
    assert not answer.HasField("query")


async def test_the_answer_names_its_snapshot_and_accounts_for_its_time(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(1))))
    expected = pb.IndexSummary(
        version="000001",
        count=12,
        descriptor="fc6",
        model="fake",
        model_title="the fake network",
        approximate=False,
    )
    assert answer.index == expected
    timings = answer.timings
    assert min(timings.decode_ms, timings.extract_ms, timings.search_ms) > 0
    assert timings.decode_ms + timings.extract_ms + timings.search_ms <= timings.total_ms
    assert timings.verify_ms == 0


async def test_limit_defaults_to_thirty(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(33))
    folder.publish()
    async with running(settings_for(folder)) as service:
        by_default = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("000.png")))
        all_others = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("000.png"), limit=100))
    assert len(by_default.hits) == 30
    assert len(all_others.hits) == 32


async def test_max_distance_is_a_bound_and_zero_is_one_too(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        everything = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("002.png")))
        bound = everything.hits[3].distance
        near = await service.stub.Search(
            pb.SearchRequest(image_id=folder.id_of("002.png"), max_distance=bound)
        )
        none = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("002.png"), max_distance=0))
    assert list(near.hits) == list(everything.hits[:4])
    assert list(none.hits) == []


async def test_a_max_distance_beyond_every_number_of_the_index_bounds_nothing(folder: Folder) -> None:
    async with running(settings_for(folder)) as service:
        query = pb.SearchRequest(image_id=folder.id_of("002.png"))
        everything = await service.stub.Search(query)
        query.max_distance = 1e308
        assert list((await service.stub.Search(query)).hits) == list(everything.hits)


async def test_an_expanded_search_ranks_by_the_query_averaged_with_its_nearest(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(40))
    folder.publish()
    image_id = folder.id_of("003.png")
    query = stored_descriptor(folder, image_id)
    nearest = [stored_descriptor(folder, found) for found, _ in brute_force(folder, query, 6)[1:]]
    expanded = query + sum(max(float(other @ query), 0) ** 3 * other for other in nearest)
    expected = brute_force(folder, expanded / np.linalg.norm(expanded), 40)
    async with running(settings_for(folder)) as service:
        plain = await service.stub.Search(pb.SearchRequest(image_id=image_id, limit=3))
        answer = await service.stub.Search(pb.SearchRequest(image_id=image_id, limit=3, expand=True))
    wanted = [hit for hit in expected if hit[0] != image_id][:3]
    assert [hit.image_id for hit in answer.hits] == [found for found, _ in wanted]
    assert [hit.distance for hit in answer.hits] == pytest.approx([far for _, far in wanted], abs=1e-4)
    assert [hit.distance for hit in answer.hits] != [hit.distance for hit in plain.hits]


async def test_a_region_searches_for_that_part_only(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=range(5))
    left, right = (Image.open(io.BytesIO(photo(seed))) for seed in (0, 1))
    both = Image.new("RGB", (128, 48))
    both.paste(left, (0, 0))
    both.paste(right, (64, 0))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    folder.add("both.png", buffer.getvalue())
    folder.publish()
    region = pb.Region(x=0.5, y=0, width=0.5, height=1)
    async with running(settings_for(folder)) as service:
        by_bytes = await service.stub.Search(
            pb.SearchRequest(image=pb.ImageFile(content=buffer.getvalue()), region=region, limit=1)
        )
        by_id = await service.stub.Search(
            pb.SearchRequest(image_id=folder.id_of("both.png"), region=region, limit=1, preview=True)
        )
    for answer in (by_bytes, by_id):
        assert answer.hits[0].path == "001.png"
        assert answer.hits[0].distance < 0.01
        assert (answer.query.width, answer.query.height, answer.query.region) == (128, 48, region)
    with Image.open(io.BytesIO(by_id.preview)) as preview:
        assert preview.size == (128, 48)


async def test_an_image_is_left_out_of_the_results_of_its_own_region(folder: Folder) -> None:
    request = pb.SearchRequest(
        image_id=folder.id_of("003.png"), region=pb.Region(x=0, y=0, width=1, height=1)
    )
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(request)
    assert len(answer.hits) == 11
    assert folder.id_of("003.png") not in {hit.image_id for hit in answer.hits}


async def test_preview_is_a_webp_of_at_most_512_pixels(folder: Folder) -> None:
    large = photo(1, width=1200, height=600)
    async with running(settings_for(folder)) as service:
        by_bytes = await service.stub.Search(
            pb.SearchRequest(image=pb.ImageFile(content=large), preview=True)
        )
        by_id = await service.stub.Search(pb.SearchRequest(image_id=folder.id_of("001.png"), preview=True))
    with Image.open(io.BytesIO(by_bytes.preview)) as preview:
        assert (preview.format, preview.size) == ("WEBP", (512, 256))
    with Image.open(io.BytesIO(by_id.preview)) as preview:
        assert (preview.format, preview.size) == ("WEBP", (64, 48))


async def test_a_lone_image_has_no_score(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=[1])
    folder.publish()
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(1))))
    assert len(answer.hits) == 1
    assert not answer.hits[0].HasField("score")


async def test_extract_returns_what_search_would_use(folder: Folder) -> None:
    region = pb.Region(x=0.25, y=0.25, width=0.5, height=0.5)
    async with running(settings_for(folder)) as service:
        whole = await service.stub.Extract(pb.ExtractRequest(image=pb.ImageFile(content=photo(4))))
        part = await service.stub.Extract(
            pb.ExtractRequest(image=pb.ImageFile(content=photo(4)), region=region)
        )
    assert (whole.descriptor, whole.model) == ("fc6", "fake")
    assert np.linalg.norm(whole.values) == pytest.approx(1, abs=1e-5)
    assert whole.values == pytest.approx(stored_descriptor(folder, folder.id_of("004.png")), abs=1e-3)
    assert part.values != pytest.approx(whole.values, abs=1e-3)
    assert part.query == pb.QueryImage(width=64, height=48, region=region, image_id=folder.id_of("004.png"))
    assert whole.timings.total_ms >= whole.timings.extract_ms > 0


async def test_a_hit_tells_all_its_paths_and_when_it_was_taken(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=[1, 2])
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2019:07:14 18:03:22"
    dated = encoded(photo_like(), "PNG", exif=exif)
    folder.add("b/dated.png", dated)
    folder.add("a/again.png", dated)
    folder.publish()
    image_id = folder.id_of("b/dated.png")
    async with running(settings_for(folder)) as service:
        answer = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=dated)))
        record = (await service.stub.GetImage(pb.GetImageRequest(image_id=image_id))).image
    first = answer.hits[0]
    assert (first.path, list(first.paths)) == ("a/again.png", ["a/again.png", "b/dated.png"])
    assert first.taken_at == record.taken_at == "2019-07-14T18:03:22"
    assert [hit.taken_at for hit in answer.hits[1:]] == ["", ""]


async def test_an_uploaded_file_that_is_in_the_collection_is_recognised_by_its_bytes(folder: Folder) -> None:
    image_id = folder.id_of("003.png")
    indexed = pb.ImageFile(content=photo(3))
    several = pb.PhotoSet(positives=[pb.Photo(image=indexed), pb.Photo(image=pb.ImageFile(content=photo(4)))])
    async with running(settings_for(folder)) as service:
        known = await service.stub.Search(pb.SearchRequest(image=indexed))
        first = await service.stub.Search(pb.SearchRequest(photos=several))
        other = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=photo(3) + b"\0")))
        by_id = await service.stub.Search(pb.SearchRequest(image_id=image_id))
    assert known.query.image_id == known.hits[0].image_id == image_id
    assert first.query.image_id == image_id
    assert (other.query.image_id, by_id.query.image_id) == ("", "")


async def test_damage_is_told_of_the_query_the_hits_and_the_image(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path, seeds=[1, 2])
    whole = encoded(photo_like(), "PNG")
    folder.add("cut.png", whole[: len(whole) * 95 // 100])
    folder.publish()
    image_id = folder.id_of("cut.png")
    async with running(settings_for(folder)) as service:
        uploaded = await service.stub.Search(pb.SearchRequest(image=pb.ImageFile(content=whole)))
        indexed = await service.stub.Search(pb.SearchRequest(image_id=image_id))
        several = pb.PhotoSet(
            positives=[pb.Photo(image_id=image_id)], negatives=[pb.Photo(image_id=folder.id_of("001.png"))]
        )
        combined = await service.stub.Search(pb.SearchRequest(photos=several))
        answer = await service.stub.GetImage(pb.GetImageRequest(image_id=image_id))
    assert not uploaded.query.damaged
    assert [hit.path for hit in uploaded.hits if hit.damaged] == ["cut.png"]
    assert indexed.query.damaged
    assert [photo.damaged for photo in combined.photos] == [True, False]
    assert answer.image.damaged


IMAGE = pb.ImageFile(content=photo(1))
NOT_FINITE = pb.Vector(values=[float("nan")] * 48)
INVALID = {
    "no query": (pb.SearchRequest(), "INVALID_OPTION"),
    "limit above 100": (pb.SearchRequest(image=IMAGE, limit=101), "INVALID_OPTION"),
    "negative distance": (pb.SearchRequest(image=IMAGE, max_distance=-0.1), "INVALID_OPTION"),
    "distance not a number": (pb.SearchRequest(image=IMAGE, max_distance=float("nan")), "INVALID_OPTION"),
    "region outside": (
        pb.SearchRequest(image=IMAGE, region=pb.Region(x=0.6, y=0, width=0.5, height=1)),
        "INVALID_OPTION",
    ),
    "region of no area": (pb.SearchRequest(image=IMAGE, region=pb.Region()), "INVALID_OPTION"),
    "short vector": (pb.SearchRequest(vector=pb.Vector(values=[1, 2])), "INVALID_OPTION"),
    "empty vector": (pb.SearchRequest(vector=pb.Vector()), "INVALID_OPTION"),
    "zero vector": (pb.SearchRequest(vector=pb.Vector(values=[0] * 48)), "INVALID_OPTION"),
    "vector not finite": (pb.SearchRequest(vector=NOT_FINITE), "INVALID_OPTION"),
    "region of a vector": (
        pb.SearchRequest(vector=pb.Vector(values=[1] * 48), region=pb.Region(x=0, y=0, width=1, height=1)),
        "INVALID_OPTION",
    ),
    "no bytes": (pb.SearchRequest(image=pb.ImageFile()), "EMPTY_IMAGE"),
    "too many bytes": (pb.SearchRequest(image=pb.ImageFile(content=bytes(50_001))), "TOO_MANY_BYTES"),
    "a text": (pb.SearchRequest(image=pb.ImageFile(content=b"hello")), "UNSUPPORTED_IMAGE_TYPE"),
    "a truncated file": (
        pb.SearchRequest(image=pb.ImageFile(content=photo(1)[:100])),
        "UNDECODABLE_IMAGE",
    ),
    "too many pixels for the service": (
        pb.SearchRequest(image=pb.ImageFile(content=photo(1, width=2_000, height=1_000))),
        "TOO_MANY_PIXELS",
    ),
    "too many pixels for the caller": (
        pb.SearchRequest(image=pb.ImageFile(content=photo(1), max_pixels=64 * 48 - 1)),
        "TOO_MANY_PIXELS",
    ),
}


@pytest.mark.parametrize("case", INVALID)
async def test_a_bad_search_is_the_callers_fault_and_says_why(folder: Folder, case: str) -> None:
    request, reason = INVALID[case]
    settings = settings_for(folder, max_image_bytes=50_000, max_pixels=1_000_000)
    async with running(settings) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failure.value) == reason
    assert details_of(failure.value).endswith(".")


@pytest.mark.parametrize("image_id", ["0" * 32, "../../etc/passwd", ""])
async def test_an_unknown_id_is_not_found(folder: Folder, image_id: str) -> None:
    async with running(settings_for(folder)) as service:
        for call in (
            service.stub.GetImage(pb.GetImageRequest(image_id=image_id)),
            service.stub.Search(pb.SearchRequest(image_id=image_id)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await call
            assert failure.value.code() == grpc.StatusCode.NOT_FOUND
            assert reason_of(failure.value) == "UNKNOWN_IMAGE"


async def test_a_region_of_an_indexed_image_needs_the_images_folder(folder: Folder) -> None:
    request = pb.SearchRequest(
        image_id=folder.id_of("001.png"), region=pb.Region(x=0, y=0, width=0.5, height=1)
    )
    async with running(settings_for(folder, images_dir=folder.store_dir / "no photos")) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert reason_of(failure.value) == "OPTION_UNAVAILABLE"


async def test_a_region_of_an_image_whose_file_changed_is_unavailable(folder: Folder) -> None:
    image_id = folder.id_of("001.png")
    folder.add("001.png", photo(99))
    request = pb.SearchRequest(image_id=image_id, region=pb.Region(x=0, y=0, width=0.5, height=1))
    async with running(settings_for(folder)) as service:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await service.stub.Search(request)
    assert failure.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(failure.value) == "OPTION_UNAVAILABLE"


async def test_an_original_larger_than_an_upload_may_be_is_still_searchable(folder: Folder) -> None:
    request = pb.SearchRequest(
        image_id=folder.id_of("001.png"), region=pb.Region(x=0, y=0, width=0.5, height=1)
    )
    async with running(settings_for(folder, max_image_bytes=10, max_pixels=10)) as service:
        answer = await service.stub.Search(request)
    assert len(answer.hits) == 11
