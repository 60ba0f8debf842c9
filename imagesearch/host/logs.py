"""How programs log: lines for people, or a JSON object a line for what collects them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["text", "json"]
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
JSON_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}
"""Beside the message, a traceback as `exc_info`, and what a line is given as `extra`."""


def set_up_logging(
    level: str, log_format: LogFormat, context: Callable[[], Mapping[str, str]] | None = None
) -> None:
    """To stderr. context: what JSON tells beside each line, such as the request that it is about."""
    handler = logging.StreamHandler()
    if log_format == "text":
        handler.setFormatter(logging.Formatter(TEXT))
    else:
        handler.setFormatter(JsonFormatter([*JSON_FIELDS, "message"], rename_fields=JSON_FIELDS))
        if context is not None:
            handler.addFilter(_telling(context))
    logging.basicConfig(level=level, handlers=[handler])


def _telling(context: Callable[[], Mapping[str, str]]) -> Callable[[logging.LogRecord], bool]:
    def tell(record: logging.LogRecord) -> bool:
        record.__dict__.update(context())
        return True

    return tell
