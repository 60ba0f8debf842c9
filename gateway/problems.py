"""Errors as RFC 9457 problem details, the one way they leave over JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse

from gateway import media_types
from gateway.errors import GatewayError, InvalidOption
from gateway.languages import DEFAULT, LANGUAGES, Language
from gateway.schemas import Problem
from gateway.search_options import MAX_PHOTOS, SearchOptions
from gateway.settings import Settings

MEDIA_TYPE = "application/problem+json"
# A name given by the caller is repeated to the caller, but not at any length.
MAX_NAME = 40


def describe(error: GatewayError, language: Language, request: Request) -> Problem:
    """The problem in the words of a language, or in the service's; none of it is an exception's text."""
    blanks = blanks_of(request.app.state.settings)
    key = f"error.{error.code}.detail"
    if isinstance(error, InvalidOption) and error.option:
        blanks["option"] = error.option[:MAX_NAME]
        named = f"{key}.{'switch' if error.option in SearchOptions.switches() else error.option}"
        key = named if language.has(named) else f"{key}.unknown"
    return Problem(
        type=f"{request.app.state.settings.root_path}/docs#{error.code}",
        title=language.text(f"error.{error.code}.title"),
        status=error.status,
        detail=language.repeated(error.sentence) or language.text(key, **blanks),
        code=error.code,
        request_id=request.state.request_id,
    )


def problem_response(
    request: Request, error: GatewayError, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    problem = describe(error, LANGUAGES[DEFAULT], request)
    return JSONResponse(
        problem.model_dump(), error.status, {**error.headers, **(headers or {})}, media_type=MEDIA_TYPE
    )


def blanks_of(settings: Settings) -> dict[str, str]:
    """What the sentences leave blank: the limits and the accepted formats."""
    return {
        "formats": ", ".join(each.name for each in media_types.FORMATS.values()),
        "max_photos": str(MAX_PHOTOS),
        "max_megabytes": f"{settings.max_upload_bytes / 2**20:.4g}",
        "max_megapixels": f"{settings.max_pixels / 1e6:.4g}",
        "max_ten_thousand_pixels": f"{settings.max_pixels / 1e4:.4g}",
        "upload_timeout_s": f"{settings.upload_timeout_s:g}",
        "search_timeout_s": f"{settings.search_timeout_s:g}",
    }
