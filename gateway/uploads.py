"""From a request to a query: multipart forms, JSON bodies and page addresses.

Nothing is written to disk, nothing beyond the limit is kept, and the name of an uploaded file is not used.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import date

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from gateway import errors
from gateway.search_client import Photo, Query
from gateway.search_options import MAX_PHOTOS, SearchBody, SearchOptions
from gateway.settings import Settings

# Room for the options and the part headers of a form, or for the JSON around an image.
OVERHEAD_BYTES = 64 * 2**10
MAX_FIELDS = 32
MAX_FIELD_BYTES = 4096

FILE_FIELDS = ("image", "images", "not_images")
ID_FIELDS = ("image_id", "image_ids", "not_image_ids")
SINGLE_FIELDS = ("image", "image_id")
NEGATIVE_FIELDS = ("not_images", "not_image_ids")

GivenPhoto = tuple[str, bytes | str]
"""The name of a field, and the bytes of a file or an id."""

FROM_URL_SAFE = str.maketrans("-_", "+/")
DATA_PREFIX = re.compile(r"data:[^,]{0,100};base64,")
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


async def read_search(request: Request, settings: Settings) -> Query:
    """The query of a multipart form or a JSON body, by the content type."""
    match _content_type(request):
        case "multipart/form-data":
            return await read_form(request, settings)
        case "application/json":
            return await _in_time(_read_json(request, settings), settings)
        case _:
            raise errors.UnsupportedContentType


async def read_form(request: Request, settings: Settings) -> Query:
    """The query of a multipart form."""
    if _content_type(request) != "multipart/form-data":
        raise errors.UnsupportedContentType
    return await _in_time(_read_multipart(request, settings.max_upload_bytes), settings)


def read_address(parameters: Iterable[tuple[str, str]]) -> Query | None:
    """The query of a page's address; None where it names no image and no words. Unknown parameters are left
    alone."""
    fields = list(parameters)
    photos = _given_ids(fields)
    options = _options(field for field in fields if field[0] in CONVERTERS)
    if not photos and options.text is None:
        return None
    return _query(options, photos, max_upload_bytes=0)


def max_body_bytes(settings: Settings) -> int:
    """The largest body there can be: pictures of the largest size as base64, in lines of 64 with a break of
    two characters each, and what stands around them."""
    return -(-settings.max_upload_bytes // 3) * 4 * 33 // 32 + OVERHEAD_BYTES


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _in_time(reading: Awaitable[Query], settings: Settings) -> Query:
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            return await reading
    except TimeoutError:
        raise errors.UploadTimeout from None


async def _limited(request: Request, limit_bytes: int) -> AsyncGenerator[bytes, None]:
    """The chunks of the body; raises TooManyBytes as soon as they are, or are declared to be, too many."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise errors.TooManyBytes
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit_bytes:
            raise errors.TooManyBytes
        yield chunk


async def _read_multipart(request: Request, max_upload_bytes: int) -> Query:
    async with aclosing(_limited(request, max_upload_bytes + OVERHEAD_BYTES)) as chunks:
        parser = _WholeForm(
            request.headers,
            chunks,
            max_files=MAX_FIELDS,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELD_BYTES,
        )
        parser.spool_max_size = max_upload_bytes + OVERHEAD_BYTES  # stays in memory
        try:
            form = await parser.parse()
        except (MultiPartException, ValueError):  # ValueError: the form names a codec that cannot decode
            raise errors.MalformedRequest from None
    try:
        return await _form_query(form, max_upload_bytes)
    finally:
        await form.close()


class _WholeForm(MultiPartParser):
    """Refuses a form that is cut off, of which the framework's parser returns the parts that are there."""

    _has_ended = False

    def on_end(self) -> None:
        self._has_ended = True

    async def parse(self) -> FormData:
        async with aclosing(self._checked(self.stream)) as self.stream:
            return await super().parse()

    async def _checked(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            yield chunk
        if not self._has_ended:
            raise MultiPartException("The last boundary is missing.")


async def _form_query(form: FormData, max_upload_bytes: int) -> Query:
    photos: list[GivenPhoto] = []
    texts: list[tuple[str, str]] = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            texts.append((name, value))
        elif name not in FILE_FIELDS:
            raise errors.InvalidOption(name)
        elif value.filename or value.size:  # otherwise a file field left empty
            photos.append((name, await value.read()))
    options = _options(field for field in texts if field[0] not in ID_FIELDS)
    return _query(options, [*photos, *_given_ids(texts)], max_upload_bytes)


def _given_ids(fields: Iterable[tuple[str, str]]) -> list[GivenPhoto]:
    return [(name, text.strip()) for name, text in fields if name in ID_FIELDS and text.strip()]


async def _read_json(request: Request, settings: Settings) -> Query:
    async with aclosing(_limited(request, max_body_bytes(settings))) as chunks:
        content = b"".join([chunk async for chunk in chunks])
    try:
        body = SearchBody.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _refusal(error) from None
    options = SearchOptions.model_construct(
        **{name: getattr(body, name) for name in SearchOptions.model_fields}
    )
    return _query(options, list(_photos_of(body)), settings.max_upload_bytes)


def _photos_of(body: SearchBody) -> Iterator[GivenPhoto]:
    for name in (*FILE_FIELDS, *ID_FIELDS):
        given = getattr(body, name)
        for text in [given] if isinstance(given, str) else given or ():
            yield name, _decoded(text) if name in FILE_FIELDS else text


def _decoded(text: str) -> bytes:
    if prefix := DATA_PREFIX.match(text):
        text = text[prefix.end() :]
    plain = "".join(text.split()).translate(FROM_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise errors.InvalidBase64 from None


def _query(options: SearchOptions, given: Sequence[GivenPhoto], max_upload_bytes: int) -> Query:
    """The positive photos first, otherwise in the given order. The bytes of all count together."""
    if not given and options.text is None:
        raise errors.NotOneQuery
    if len(given) > 1 and any(name in SINGLE_FIELDS for name, _ in given):
        raise errors.NotOneQuery
    if len(given) > MAX_PHOTOS:
        raise errors.TooManyPhotos
    photos = [Photo(source, is_negative=name in NEGATIVE_FIELDS) for name, source in given]
    if options.text is None and all(photo.is_negative for photo in photos):
        raise errors.NoPositivePhoto
    if options.region is not None and (len(photos) > 1 or options.text is not None):
        raise errors.RegionOfSeveral
    _check_files([source for _, source in given if isinstance(source, bytes)], max_upload_bytes)
    return Query(options, tuple(sorted(photos, key=lambda photo: photo.is_negative)))


def _check_files(files: Sequence[bytes], max_upload_bytes: int) -> None:
    if not all(files):
        raise errors.EmptyImage
    if sum(map(len, files)) > max_upload_bytes:
        raise errors.TooManyBytes


def _options(fields: Iterable[tuple[str, str]]) -> SearchOptions:
    """Options from the texts of a form or an address; a blank text leaves its option at the default."""
    texts: dict[str, list[str]] = {}
    for name, text in fields:
        texts.setdefault(name, []).append(text.strip())
    values = {name: _converted(name, given) for name, given in texts.items() if any(given)}
    try:
        return SearchOptions.model_validate(values)
    except ValidationError as error:
        raise _refusal(error) from None


def _converted(name: str, texts: list[str]) -> object:
    try:
        return CONVERTERS[name](texts)
    except (KeyError, ValueError):
        raise errors.InvalidOption(name) from None


def _region(texts: list[str]) -> Mapping[str, float]:
    """From four comma-separated numbers, or from a field given four times."""
    x, y, width, height = (float(text) for text in ",".join(texts).split(","))
    return {"x": x, "y": y, "width": width, "height": height}


CONVERTERS: dict[str, Callable[[list[str]], object]] = {
    "text": lambda texts: texts[-1],
    "limit": lambda texts: int(texts[-1]),
    "offset": lambda texts: int(texts[-1]),
    "region": _region,
    "max_distance": lambda texts: float(texts[-1]),
    "min_score": lambda texts: float(texts[-1]),
    "folder": lambda texts: texts[-1],
    "sort": lambda texts: texts[-1],
    "taken_from": lambda texts: date.fromisoformat(texts[-1]),
    "taken_to": lambda texts: date.fromisoformat(texts[-1]),
    **dict.fromkeys(SearchOptions.switches(), lambda texts: BOOLEANS[texts[-1].lower()]),
}


def _refusal(error: ValidationError) -> errors.GatewayError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if not first["loc"]:  # no JSON, or not an object
        return errors.MalformedRequest()
    if first["type"] == "too_long":  # only lists of photos have a longest length, texts fail otherwise
        return errors.TooManyPhotos()
    return errors.InvalidOption(str(first["loc"][0]))
