"""The API described for people, from the schema that programs read; nothing comes from another host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.dependencies import ServicesDep
from gateway.errors import GatewayError
from gateway.languages import DEFAULT, LANGUAGES
from gateway.problems import blanks_of
from gateway.settings import Settings

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One line of the table of errors."""

    status: int
    code: str
    title: str
    detail: str


@router.get("/docs", name="docs")
async def docs(request: Request, services: ServicesDep) -> HTMLResponse:
    schema = request.app.openapi()
    return services.views.render(
        request,
        "docs.html",
        {
            "schema": schema,
            "operations": list(_operations(schema)),
            "type_text": type_text,
            "errors": error_rows(services.settings),
            "base_url": request.base_url,
        },
        language=LANGUAGES[DEFAULT],
    )


def _operations(schema: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield Operation(method.upper(), path, operation)


def type_text(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words, such as "array of Hit" or "number or null"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(type_text(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"array of {type_text(schema['items'])}"
    return str(schema.get("format", schema.get("type", "any")))


def error_rows(settings: Settings) -> list[ErrorRow]:
    """Every error of the gateway, by status."""
    text = LANGUAGES[DEFAULT].text
    rows = (
        ErrorRow(
            cause.status,
            cause.code,
            text(f"error.{cause.code}.title"),
            text(f"error.{cause.code}.detail", **blanks_of(settings)),
        )
        for cause in GatewayError.__subclasses__()
    )
    return sorted(rows, key=lambda row: (row.status, row.code))
