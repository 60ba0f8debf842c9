"""The schema that programs read, with the problems that each route may answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.middleware.admission import FREE_ROUTES
from gateway.middleware.api_key import OPEN_ROUTE
from gateway.problems import MEDIA_TYPE
from gateway.schemas import Problem

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key as a token, if one is asked for."},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as password, with any name."},
}


def openapi_schema(app: FastAPI) -> dict[str, Any]:
    """The framework's schema with our one form of errors in place of its own."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = schema["components"]["schemas"]
        schemas[Problem.__name__] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schema["components"]["securitySchemes"] = SECURITY_SCHEMES
        schema["security"] = [{name: []} for name in SECURITY_SCHEMES]
        if not app.state.settings.api_key.get_secret_value():
            schema["security"].append({})
        for path, methods in schema["paths"].items():
            for operation in methods.values():
                _drop_framework_error(operation["responses"])
                _add_door(path, operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _add_door(path: str, operation: dict[str, Any]) -> None:
    """What may happen to a request before its route sees it."""
    if path == OPEN_ROUTE:
        operation["security"] = []
        return
    statuses = [401] if path in FREE_ROUTES else [401, 429, 503]
    responses = operation["responses"] | {str(status): each for status, each in problems(*statuses).items()}
    operation["responses"] = dict(sorted(responses.items()))


def _drop_framework_error(responses: dict[str, Any]) -> None:
    """An id is any text to the framework, and an unknown one is not found: it refuses none as invalid."""
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may fail with these statuses."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }
