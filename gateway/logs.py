"""How the gateway logs: lines for people, or a JSON object a line, which tells of its request too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

_NONE: Mapping[str, str] = {}
current_request: ContextVar[Mapping[str, str]] = ContextVar("current_request", default=_NONE)
"""What each line of JSON tells of the request that it is about."""

LogFormat = Literal["text", "json"]
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
JSON_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}
"""Beside the message, a traceback as `exc_info`, and what a line is given as `extra`."""


def set_up_logging(log_format: LogFormat) -> None:
    """To stderr."""
    handler = logging.StreamHandler()
    if log_format == "text":
        handler.setFormatter(logging.Formatter(TEXT))
    else:
        handler.setFormatter(JsonFormatter([*JSON_FIELDS, "message"], rename_fields=JSON_FIELDS))
        handler.addFilter(_tell_request)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _tell_request(record: logging.LogRecord) -> bool:
    record.__dict__.update(current_request.get())
    return True
