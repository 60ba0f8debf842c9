"""Originals and thumbnails, by id only: no path of a request ever names a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from gateway.dependencies import ServicesDep
from gateway.errors import PhotoGone, RangeNotSatisfiable
from gateway.routers.documented import problems

router = APIRouter(tags=["images"])

# An id names bytes that never change, so that a copy never needs to be asked about again.
IMMUTABLE = "private, max-age=31536000, immutable"
ORIGINAL_TYPES = {
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/webp",
}
# From a byte on, perhaps to another one; or the last so many bytes.
ONE_RANGE = re.compile(r"bytes=(?:(?P<first>\d+)-(?P<last>\d*)|-(?P<count>\d+))")


@router.get(
    "/images/{image_id}",
    name="image",
    summary="An original",
    response_class=FileResponse,
    responses=problems(404, 416, 502, 503, 504),
)
async def image(request: Request, image_id: str, services: ServicesDep) -> Response:
    """The photo as it was indexed."""
    record = await services.client.get_image(image_id)
    found = await anyio.to_thread.run_sync(
        _find, services.settings.images_dir, record.paths, record.size_bytes
    )
    if found is None:
        raise PhotoGone
    media_type = record.media_type if record.media_type in ORIGINAL_TYPES else "application/octet-stream"
    return _file_response(request, *found, etag=f'"{image_id}"', media_type=media_type)


@router.get(
    "/thumbnails/{image_id}",
    name="thumbnail",
    summary="A thumbnail",
    response_class=FileResponse,
    responses=problems(404, 502, 503, 504),
)
async def thumbnail(request: Request, image_id: str, services: ServicesDep) -> Response:
    """WebP, long side at most 256 pixels."""
    record = await services.client.get_image(image_id)
    found = await anyio.to_thread.run_sync(_find, services.settings.store_dir, (record.thumbnail_path,))
    if found is None:
        raise PhotoGone
    return _file_response(request, *found, etag=f'"{image_id}-thumbnail"', media_type="image/webp")


def _find(
    root: Path, relative_paths: Sequence[str], size_bytes: int | None = None
) -> tuple[Path, os.stat_result] | None:
    """The first of the paths that is a file inside the root, links resolved, of the size if one is given.

    The size tells most changed files from the indexed one, under whose id the bytes would go out.
    """
    root = root.resolve()
    for relative in relative_paths:
        try:
            path = (root / relative).resolve()
            found = path.stat() if path.is_relative_to(root) else None
        except (OSError, ValueError):  # ValueError: a zero byte in the path
            continue
        if found and stat.S_ISREG(found.st_mode) and size_bytes in (None, found.st_size):
            return path, found
    return None


def _file_response(
    request: Request, path: Path, found: os.stat_result, *, etag: str, media_type: str
) -> Response:
    headers = {"Cache-Control": IMMUTABLE, "ETag": etag}
    known = request.headers.get("if-none-match", "").split(",")
    if etag in (tag.strip().removeprefix("W/") for tag in known):
        return Response(status_code=304, headers=headers)
    _check_range(request, found.st_size)
    return FileResponse(
        path,
        headers=headers,
        media_type=media_type,
        filename=path.name,
        stat_result=found,
        content_disposition_type="inline",
    )


def _check_range(request: Request, size_bytes: int) -> None:
    """Raises RangeNotSatisfiable. Takes away a Range that is not one well-formed range of bytes, so that the
    answer is the whole file, as RFC 9110, section 14.2, allows."""
    one = ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if one is None or (one["last"] and int(one["last"]) < int(one["first"])):
        headers = request.scope["headers"]
        request.scope["headers"] = [(name, value) for name, value in headers if name != b"range"]
    elif int(one["first"] or 0) >= size_bytes or one["count"] == "0":
        raise RangeNotSatisfiable
