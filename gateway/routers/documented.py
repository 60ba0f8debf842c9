"""What the schema says of failures."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from gateway.problems import MEDIA_TYPE
from gateway.schemas import Problem


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
