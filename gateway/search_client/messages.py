"""Between the service's messages and what goes over HTTP, for a search and for one image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway import errors, schemas, search_options
from protos.imagesearch.v1 import search_pb2

IMAGE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo to search with: the bytes of an image file, or the id of an indexed image."""

    source: bytes | str
    is_negative: bool = False

    @property
    def image_id(self) -> str:
        """Empty for a file."""
        return self.source if isinstance(self.source, str) else ""


@dataclass(frozen=True, slots=True)
class Query:
    """One search. The positive photos come first; there is one at least, or there is text."""

    options: search_options.SearchOptions
    photos: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out as JSON, and each photo of the query as a small WebP, empty unless asked for."""

    response: schemas.SearchResponse
    previews: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class IndexedImage:
    """An indexed image. `paths` are relative to the indexed folder."""

    image_id: str
    paths: tuple[str, ...]
    width: int
    height: int
    media_type: str
    size_bytes: int
    damaged: bool
    taken_at: str
    """ISO 8601 by the camera's clock; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class FolderPage:
    """Some images of a folder, each with its first path there in front."""

    images: list[IndexedImage]
    next_token: str
    """Empty on the last page."""


def search_request(query: Query, max_pixels: int, preview: bool) -> search_pb2.SearchRequest:
    """Raises UnknownImage for an id that cannot be one."""
    options = query.options
    request = search_pb2.SearchRequest(
        limit=options.limit,
        offset=options.offset,
        min_score=options.min_score,
        max_distance=options.max_distance,
        text=options.text,
        folder=options.folder,
        taken_from=_iso(options.taken_from),
        taken_to=_iso(options.taken_to),
        preview=preview,
        **{name: getattr(options, name) for name in options.switches()},
    )
    _add_photos(request, query.photos, max_pixels)
    if options.region is not None:
        request.region.CopyFrom(_region_message(options.region))
    return request


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _add_photos(request: search_pb2.SearchRequest, photos: Sequence[Photo], max_pixels: int) -> None:
    if len(photos) == 1 and not photos[0].is_negative:
        _fill(request, photos[0], max_pixels)
        return
    for photo in photos:
        side = request.photos.negatives if photo.is_negative else request.photos.positives
        _fill(side.add(), photo, max_pixels)


def _fill(message: search_pb2.SearchRequest | search_pb2.Photo, photo: Photo, max_pixels: int) -> None:
    if isinstance(photo.source, bytes):
        message.image.content = photo.source
        message.image.max_pixels = max_pixels
    else:
        message.image_id = known_shape(photo.source)


def known_shape(image_id: str) -> str:
    """The id itself. What cannot be an id cannot be known, so that the service need not be asked."""
    if not IMAGE_ID.fullmatch(image_id):
        raise errors.UnknownImage
    return image_id


def _region_message(region: search_options.Region) -> search_pb2.Region:
    """Clamps what decimal rounding let reach past the edge."""
    return search_pb2.Region(
        x=region.x,
        y=region.y,
        width=min(region.width, 1 - region.x),
        height=min(region.height, 1 - region.y),
    )


def search_answer(message: search_pb2.SearchResponse, root_path: str) -> Answer:
    """root_path: what a proxy puts before the addresses of pictures."""
    previews = [photo.preview for photo in message.photos]
    if not previews and message.HasField("query"):
        previews = [message.preview]
    return Answer(_search_response(message, root_path), tuple(previews))


def _search_response(message: search_pb2.SearchResponse, root_path: str) -> schemas.SearchResponse:
    return schemas.SearchResponse(
        query=_query_image(message.query) if message.HasField("query") else None,
        query_photos=[_query_photo(photo) for photo in message.photos] or None,
        results=[_hit(hit, bool(message.photos), root_path) for hit in message.hits],
        next_offset=message.next_offset if message.HasField("next_offset") else None,
        index=schemas.IndexSummary(
            version=message.index.version,
            count=message.index.count,
            descriptor=message.index.descriptor,
            model=message.index.model,
            model_title=message.index.model_title,
            approximate=message.index.approximate,
        ),
        timings_ms=_timings(message.timings),
    )


def _timings(message: search_pb2.Timings) -> schemas.Timings:
    return schemas.Timings(
        decode=round(message.decode_ms, 2),
        extract=round(message.extract_ms, 2),
        search=round(message.search_ms, 2),
        verify=round(message.verify_ms, 2),
        localize=round(message.localize_ms, 2),
        total=round(message.total_ms, 2),
    )


def _query_image(message: search_pb2.QueryImage) -> schemas.QueryImage:
    return schemas.QueryImage(
        width=message.width,
        height=message.height,
        region=_region(message.region) if message.HasField("region") else None,
        damaged=message.damaged,
        image_id=message.image_id or None,
    )


def _region(message: search_pb2.Region) -> search_options.Region:
    return search_options.Region(x=message.x, y=message.y, width=message.width, height=message.height)


def _query_photo(message: search_pb2.QueryPhoto) -> schemas.QueryPhoto:
    return schemas.QueryPhoto(
        image_id=message.image_id or None,
        negative=message.negative,
        width=message.width,
        height=message.height,
        damaged=message.damaged,
    )


def _hit(message: search_pb2.Hit, among_several: bool, root_path: str) -> schemas.Hit:
    return schemas.Hit(
        image_id=message.image_id,
        url=f"{root_path}/images/{message.image_id}",
        thumbnail_url=f"{root_path}/thumbnails/{message.image_id}",
        path=message.path,
        paths=list(message.paths),
        width=message.width,
        height=message.height,
        taken_at=message.taken_at or None,
        distance=message.distance,
        score=message.score if message.HasField("score") else None,
        match=_match(message.match, among_several) if message.HasField("match") else None,
        located=_region(message.located) if message.HasField("located") else None,
        damaged=message.damaged,
        likeness=message.likeness,
        rank_score=message.rank_score if message.HasField("rank_score") else None,
        also=[_other(image, root_path) for image in message.also],
    )


def _other(message: search_pb2.OtherImage, root_path: str) -> schemas.OtherImage:
    return schemas.OtherImage(
        image_id=message.image_id,
        url=f"{root_path}/images/{message.image_id}",
        thumbnail_url=f"{root_path}/thumbnails/{message.image_id}",
        path=message.path,
    )


def _match(message: search_pb2.Match, among_several: bool) -> schemas.Match:
    corners = [schemas.Point(x=corner.x, y=corner.y) for corner in message.quadrilateral]
    pairs = zip(message.query_points, message.result_points, strict=True)
    points = [schemas.PointPair(query=_rounded(query), result=_rounded(result)) for query, result in pairs]
    return schemas.Match(
        inliers=message.inliers,
        quadrilateral=corners,
        query_photo=message.photo if among_several else None,
        points=points or None,
    )


def _rounded(point: search_pb2.Point) -> schemas.Point:
    """To a tenth of a pixel in a photo of a thousand: there may be hundreds of points."""
    return schemas.Point(x=round(point.x, 4), y=round(point.y, 4))


def indexed_image(message: search_pb2.ImageRecord) -> IndexedImage:
    return IndexedImage(
        image_id=message.image_id,
        paths=tuple(message.paths),
        width=message.width,
        height=message.height,
        media_type=message.media_type,
        size_bytes=message.size_bytes,
        damaged=message.damaged,
        taken_at=message.taken_at,
    )
