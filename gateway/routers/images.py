"""Originals and thumbnails, by id only: no path of a request ever names a file."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway import media_types
from gateway.dependencies import ServicesDep
from gateway.known import ThumbnailSize
from gateway.openapi import problems
from gateway.ranges import ByteRange, requested_range
from gateway.search_client import Original, known_shape

router = APIRouter(tags=["images"])

# An id names bytes that never change, so that a copy never needs to be asked about again.
IMMUTABLE = "private, max-age=31536000, immutable"


@router.get(
    "/images/{image_id}",
    name="image",
    summary="An original",
    response_class=StreamingResponse,
    responses=problems(404, 416, 502, 503, 504),
)
async def image(request: Request, image_id: str, services: ServicesDep) -> Response:
    """The photo as it was indexed."""
    etag = f'"{known_shape(image_id)}"'
    if _has_copy(request, etag):
        return Response(status_code=304, headers=_caching(etag))
    if request.state.is_head:
        original = await services.client.open_original(image_id, length=0)
        return Response(headers=_headers(original, etag) | {"Content-Length": str(original.size_bytes)})
    wanted = requested_range(request.headers, etag)
    if wanted is None:
        return OriginalResponse(await services.client.open_original(image_id), etag)
    return OriginalResponse(
        await services.client.open_original(image_id, wanted.offset, wanted.length), etag, wanted
    )


@router.get(
    "/thumbnails/{image_id}",
    name="thumbnail",
    summary="A thumbnail",
    response_class=Response,
    responses=problems(404, 422, 502, 503, 504),
)
async def thumbnail(
    request: Request,
    image_id: str,
    services: ServicesDep,
    size: Annotated[
        ThumbnailSize,
        Query(description="Pixels of the long side, at most. 1600 needs the original."),
    ] = ThumbnailSize.SMALL,
) -> Response:
    """WebP, the larger ones JPEG, whatever the format of the photo, and never larger than it."""
    etag = f'"{known_shape(image_id)}-{size}"'
    if _has_copy(request, etag):
        return Response(status_code=304, headers=_caching(etag))
    picture = await services.known_thumbnails.of(image_id, size)
    media_type = "image/webp" if size == ThumbnailSize.SMALL else "image/jpeg"
    return Response(picture, headers=_caching(etag), media_type=media_type)


class OriginalResponse(StreamingResponse):
    """The bytes as they come. Whatever ends it ends the call to the service too.

    Where the call fails on the way, the server closes the connection: the client misses bytes of those it was
    promised.
    """

    def __init__(self, original: Original, etag: str, wanted: ByteRange | None = None) -> None:
        """Raises RangeNotSatisfiable."""
        self._original = original
        headers, size = _headers(original, etag), original.size_bytes
        if wanted is None:
            super().__init__(original.chunks(), headers=headers | {"Content-Length": str(size)})
            return
        part = wanted.within(size)
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        headers["Content-Length"] = str(len(part))
        super().__init__(original.chunks(), 206, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._original.close()


def _has_copy(request: Request, etag: str) -> bool:
    """True if the client has the bytes already: there are no others of this id."""
    known = request.headers.get("if-none-match", "").split(",")
    return etag in (tag.strip().removeprefix("W/") for tag in known)


def _caching(etag: str) -> dict[str, str]:
    return {"Cache-Control": IMMUTABLE, "ETag": etag}


def _headers(original: Original, etag: str) -> dict[str, str]:
    return _caching(etag) | {
        "Accept-Ranges": "bytes",
        "Content-Disposition": _disposition(original.file_name),
        "Content-Type": media_types.safe(original.media_type),
    }


def _disposition(file_name: str) -> str:
    """To be shown, and to be saved under this name, in whatever script (RFC 6266, RFC 8187)."""
    encoded = quote(file_name, safe="")
    name = f'filename="{file_name}"' if encoded == file_name else f"filename*=utf-8''{encoded}"
    return f"inline; {name}"
