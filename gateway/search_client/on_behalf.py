"""For whom the search service is called: travels with every call, so that its log and its queues tell clients
and requests apart."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from contextvars import ContextVar

_SALT = secrets.token_bytes(16)
_metadata: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("metadata", default=())


def call_on_behalf(request_id: str, account: str | None, trace: Mapping[str, str]) -> None:
    """From here on, in this task and those that it starts. account: see `gate.account_of`; its name stays
    here, what travels only tells it from others. trace: see `tracing.trace_headers`."""
    client = hashlib.blake2b((account or "").encode(), key=_SALT, digest_size=8).hexdigest()
    _metadata.set((("x-request-id", request_id), ("x-client", client), *trace.items()))


def call_metadata() -> tuple[tuple[str, str], ...]:
    return _metadata.get()
