"""Who asks: which request of which client is being answered in this task."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Both empty where nobody said."""

    client: str = ""
    """Tells clients apart, and nothing more."""
    request_id: str = ""


NOBODY = Caller()
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=NOBODY)
