"""Errors as RFC 9457 problem details, the one way they leave over JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway import errors
from gateway.errors import GatewayError, InvalidOption
from gateway.languages import DEFAULT, LANGUAGES, Language
from gateway.schemas import MAX_PHOTOS, Problem
from gateway.settings import Settings
from gateway.views import Page

MEDIA_TYPE = "application/problem+json"
# A name given by the caller is repeated to the caller, but not at any length.
MAX_NAME = 40


def describe(error: GatewayError, language: Language, request: Request) -> Problem:
    """The problem in the words of a language, or in the service's; none of it is an exception's text."""
    blanks = blanks_of(request.app.state.settings)
    key = f"error.{error.code}.detail"
    if isinstance(error, InvalidOption) and error.option:
        blanks["option"] = error.option[:MAX_NAME]
        named = f"{key}.{error.option}"
        key = named if language.has(named) else f"{key}.unknown"
    return Problem(
        type=f"/docs#{error.code}",
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
    """What the sentences leave blank: the limits."""
    return {
        "max_photos": str(MAX_PHOTOS),
        "max_megabytes": f"{settings.max_upload_bytes / 2**20:.4g}",
        "max_megapixels": f"{settings.max_pixels / 1e6:.4g}",
        "max_ten_thousand_pixels": f"{settings.max_pixels / 1e4:.4g}",
        "upload_timeout_s": f"{settings.upload_timeout_s:g}",
        "search_timeout_s": f"{settings.search_timeout_s:g}",
    }


ERROR_BY_STATUS = {404: errors.UnknownPage, 405: errors.MethodNotAllowed}
# As proxies log it: the client left before there was an answer.
CLIENT_LEFT = 499


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(errors.GatewayError, _on_gateway_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)


def answer(request: Request, error: errors.GatewayError, headers: dict[str, str] | None = None) -> Response:
    """The error in the form that this request asks for."""
    asks_for_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if request.url.path == "/" or asks_for_page:
        response: Response = request.app.state.views.page(request, Page(), error)
    else:
        response = problem_response(request, error)
    response.headers.update(headers or {})
    return response


async def _on_gateway_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GatewayError)
    return answer(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such route, not this method."""
    assert isinstance(error, HTTPException)
    cause = ERROR_BY_STATUS.get(error.status_code, errors.MalformedRequest)
    return answer(request, cause(), dict(error.headers or {}))


async def _on_validation_error(request: Request, _error: Exception) -> Response:
    return answer(request, errors.InvalidOption())


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)
