"""Between protocol messages and the engine's values, both ways, for searches."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from extractor_service.search import queries
from extractor_service.transport.collection_messages import from_summary
from imagesearch.errors import InvalidOption
from imagesearch.pictures.region import Region
from imagesearch.ranking.verification import SpatialMatch
from imagesearch.store.filters import Filter
from protos.imagesearch.v1 import search_pb2


def to_query(request: search_pb2.SearchRequest) -> queries.Query:
    """Raises InvalidOption where the request holds no query."""
    if request.text:
        return _with_words(request)
    match request.WhichOneof("query"):
        case "image":
            return to_file_query(request.image)
        case "image_id":
            return queries.StoredQuery(request.image_id)
        case "vector":
            return queries.VectorQuery(np.array(request.vector.values, dtype=np.float32))
        case "photos":
            return queries.PhotosQuery(*_photos(request.photos))
        case _:
            raise InvalidOption(
                "A search needs one of an image, an image id, a vector, several photos and text."
            )


def _with_words(request: search_pb2.SearchRequest) -> queries.PhotosQuery:
    match request.WhichOneof("query"):
        case None:
            return queries.PhotosQuery((), text=request.text)
        case "image":
            return queries.PhotosQuery((to_file_query(request.image),), text=request.text)
        case "image_id":
            return queries.PhotosQuery((queries.StoredQuery(request.image_id),), text=request.text)
        case "photos":
            return queries.PhotosQuery(*_photos(request.photos), request.text)
        case _:
            raise InvalidOption("Words go with photos or alone, and not with a vector.")


def _photos(photos: search_pb2.PhotoSet) -> tuple[tuple[queries.Photo, ...], tuple[queries.Photo, ...]]:
    """The positive ones and the negative ones."""
    return tuple(map(_photo, photos.positives)), tuple(map(_photo, photos.negatives))


def _photo(photo: search_pb2.Photo) -> queries.Photo:
    match photo.WhichOneof("source"):
        case "image":
            return to_file_query(photo.image)
        case "image_id":
            return queries.StoredQuery(photo.image_id)
        case _:
            raise InvalidOption("Each photo needs an image or an image id.")


def to_file_query(image: search_pb2.ImageFile) -> queries.FileQuery:
    return queries.FileQuery(image.content, image.max_pixels or None)


def to_options(request: search_pb2.SearchRequest) -> queries.SearchOptions:
    """Raises InvalidOption for a value outside its range."""
    return queries.SearchOptions(
        region=to_region(request),
        limit=request.limit or queries.DEFAULT_LIMIT,
        offset=request.offset,
        verify=request.verify if request.HasField("verify") else None,
        max_distance=request.max_distance if request.HasField("max_distance") else None,
        min_score=request.min_score if request.HasField("min_score") else None,
        where=to_filter(request),
        **{name: getattr(request, name) for name in queries.SWITCHES},
    )


def to_filter(request: search_pb2.SearchRequest) -> Filter:
    """Raises InvalidOption for a folder outside, and for what is no day or in the wrong order."""
    return Filter(request.folder.removesuffix("/"), _day(request.taken_from), _day(request.taken_to))


def _day(text: str) -> date | None:
    """None where nothing is given."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidOption("A day is given by year, month and day, such as 2019-07-14.") from None


def to_region(request: search_pb2.SearchRequest | search_pb2.ExtractRequest) -> Region | None:
    """Raises InvalidOption for a region that does not lie inside the image."""
    if not request.HasField("region"):
        return None
    region = request.region
    return Region(region.x, region.y, region.width, region.height)


def from_search(answer: queries.SearchAnswer, with_points: bool) -> search_pb2.SearchResponse:
    return search_pb2.SearchResponse(
        query=_query_image(answer.query),
        photos=[_query_photo(photo) for photo in answer.photos],
        hits=[_hit(hit, with_points) for hit in answer.hits],
        next_offset=answer.next_offset,
        index=from_summary(answer.index),
        timings=_timings(answer.timings),
        preview=answer.preview,
    )


def from_extract(answer: queries.ExtractAnswer) -> search_pb2.ExtractResponse:
    return search_pb2.ExtractResponse(
        values=answer.values.tolist(),
        query=_query_image(answer.query),
        descriptor=answer.index.descriptor,
        model=answer.index.model,
        timings=_timings(answer.timings),
    )


def _query_image(image: queries.QueryImage | None) -> search_pb2.QueryImage | None:
    if image is None:
        return None
    return search_pb2.QueryImage(
        width=image.width,
        height=image.height,
        region=_region(image.region),
        damaged=image.damaged,
        image_id=image.image_id,
    )


def _region(region: Region | None) -> search_pb2.Region | None:
    if region is None:
        return None
    return search_pb2.Region(x=region.x, y=region.y, width=region.width, height=region.height)


def _query_photo(photo: queries.QueryPhoto) -> search_pb2.QueryPhoto:
    return search_pb2.QueryPhoto(
        image_id=photo.image_id,
        negative=photo.negative,
        width=photo.width,
        height=photo.height,
        preview=photo.preview,
        damaged=photo.damaged,
    )


def _hit(hit: queries.Hit, with_points: bool) -> search_pb2.Hit:
    return search_pb2.Hit(
        image_id=hit.record.image_id,
        path=hit.record.paths[0],
        width=hit.record.width,
        height=hit.record.height,
        distance=hit.distance,
        score=hit.score,
        match=_match(hit.match, with_points),
        located=_region(hit.located),
        damaged=hit.record.damaged,
        likeness=hit.likeness,
        rank_score=hit.rank_score,
        also=[search_pb2.OtherImage(image_id=other.image_id, path=other.paths[0]) for other in hit.also],
        paths=hit.record.paths,
        taken_at=hit.record.taken_at,
    )


def _match(match: SpatialMatch | None, with_points: bool) -> search_pb2.Match | None:
    if match is None:
        return None
    return search_pb2.Match(
        inliers=match.inliers,
        quadrilateral=_points(match.quadrilateral),
        photo=match.photo,
        query_points=_points(match.query_points) if with_points else (),
        result_points=_points(match.candidate_points) if with_points else (),
    )


def _points(points: NDArray[np.float32]) -> list[search_pb2.Point]:
    return [search_pb2.Point(x=x, y=y) for x, y in points.tolist()]


def _timings(timings: queries.Timings) -> search_pb2.Timings:
    return search_pb2.Timings(
        decode_ms=timings.decode_ms,
        extract_ms=timings.extract_ms,
        search_ms=timings.search_ms,
        verify_ms=timings.verify_ms,
        localize_ms=timings.localize_ms,
        total_ms=timings.total_ms,
    )
