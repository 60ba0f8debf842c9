"""The schema that programs read."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.schemas import Problem


def openapi_schema(app: FastAPI) -> dict[str, Any]:
    """The framework's schema with our one form of errors in place of its own."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = schema["components"]["schemas"]
        schemas[Problem.__name__] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for methods in schema["paths"].values():
            for operation in methods.values():
                _drop_framework_error(operation["responses"])
        app.openapi_schema = schema
    return app.openapi_schema


def _drop_framework_error(responses: dict[str, Any]) -> None:
    """An id is any text to the framework, and an unknown one is not found: it refuses none as invalid."""
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]
