"""From a request to a query: multipart forms, JSON bodies and page addresses.

Nothing is written to disk, nothing beyond the limit is kept, and the name of an uploaded file is not used.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from gateway import errors
from gateway.schemas import SearchBody, SearchOptions
from gateway.search_client import Query
from gateway.settings import Settings

# Room for the options and the part headers of a form, or for the JSON around an image.
OVERHEAD_BYTES = 64 * 2**10
MAX_FIELDS = 32
MAX_FIELD_BYTES = 1024

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
    """The query of a page's address; None where it names no image. Unknown parameters are left alone."""
    fields = [(name, text) for name, text in parameters if name in CONVERTERS or name == "image_id"]
    image_id = "".join(text for name, text in fields if name == "image_id")
    if not image_id:
        return None
    return Query(_options(field for field in fields if field[0] != "image_id"), image_id=image_id)


def max_body_bytes(settings: Settings) -> int:
    """The largest body there can be: a picture of the largest size as base64, and what stands around it."""
    return -(-settings.max_upload_bytes // 3) * 4 + OVERHEAD_BYTES


def expected_bytes(request: Request, settings: Settings) -> int:
    """The declared size of the body, but at most the largest there can be, also where none is declared."""
    declared = request.headers.get("content-length", "")
    largest = max_body_bytes(settings)
    return min(int(declared), largest) if declared.isdecimal() else largest


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
        parser = MultiPartParser(
            request.headers, chunks, max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
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


async def _form_query(form: FormData, max_upload_bytes: int) -> Query:
    image: bytes | None = None
    texts: list[tuple[str, str]] = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            texts.append((name, value))
        elif name != "image":
            raise errors.InvalidOption(name)
        elif value.filename or value.size:  # otherwise a file field left empty
            image = await value.read()
    image_id = "".join(text for name, text in texts if name == "image_id") or None
    options = _options(field for field in texts if field[0] != "image_id")
    return _one_query(options, image, image_id, max_upload_bytes)


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
    image = None if body.image is None else _decoded(body.image)
    return _one_query(options, image, body.image_id, settings.max_upload_bytes)


def _decoded(text: str) -> bytes:
    if prefix := DATA_PREFIX.match(text):
        text = text[prefix.end() :]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise errors.InvalidBase64 from None


def _one_query(
    options: SearchOptions, image: bytes | None, image_id: str | None, max_upload_bytes: int
) -> Query:
    if (image is None) == (image_id is None):
        raise errors.NotOneQuery
    if image is not None and not image:
        raise errors.EmptyImage
    if image is not None and len(image) > max_upload_bytes:
        raise errors.TooManyBytes
    return Query(options, image=image, image_id=image_id)


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
    "limit": lambda texts: int(texts[-1]),
    "region": _region,
    "exact": lambda texts: BOOLEANS[texts[-1].lower()],
    "expand": lambda texts: BOOLEANS[texts[-1].lower()],
    "verify": lambda texts: BOOLEANS[texts[-1].lower()],
    "max_distance": lambda texts: float(texts[-1]),
}


def _refusal(error: ValidationError) -> errors.GatewayError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if not first["loc"]:  # no JSON, or not an object
        return errors.MalformedRequest()
    return errors.InvalidOption(str(first["loc"][0]))
