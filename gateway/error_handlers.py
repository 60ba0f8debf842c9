"""How each failure is answered: as a page for people, as a problem for programs."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway import errors
from gateway.middleware.root_path import route_path
from gateway.page import Page
from gateway.problems import problem_response

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
    if route_path(request.scope) == "/" or asks_for_page:
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
