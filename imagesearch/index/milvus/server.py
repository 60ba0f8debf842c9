"""A Milvus server: how it is reached, and what its failures mean."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from imagesearch.errors import VectorsGone, VectorsUnavailable

logger = logging.getLogger(__name__)

ANSWER_S = 3.0
"""Longest wait for an answer; what could not be asked is asked again within it."""
CONNECT_S = 1.0
"""Longest wait for a connection. After a failure all searches under way wait for it, one after the other."""
REST_S = 1.0
"""After a failure nobody asks for so long, so that searches fail at once instead of one after the other."""
OLDEST_VERSION = (2, 3)

ADVICE = "The search goes on by itself when it is back."
UNREACHABLE = f"Milvus, which holds the vectors, cannot be reached. {ADVICE}"
TOO_SLOW = f"Milvus, which holds the vectors, takes too long to answer. {ADVICE}"
REFUSED = "Milvus, which holds the vectors, refuses the token: set MILVUS_TOKEN to one that it knows."
GONE = (
    "The vectors of this snapshot are gone from Milvus: build again to write them, without describing photos."
)
FAILED = f"Milvus, which holds the vectors, failed; the log holds the details. {ADVICE}"
SENTENCES = {
    ("unauthenticated", "auth check failure", "permission"): REFUSED,
    ("deadline", "timeout", "timed out"): TOO_SLOW,
    ("unavailable", "fail connecting", "connect"): UNREACHABLE,
}
"""By words of what the client raises, the first that fit."""


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """Where it is: http://host:19530, or a file for Milvus Lite, which one process at a time can open."""

    uri: str
    token: str = field(default="", repr=False)


def milvus_address(uri: str, token: str) -> MilvusAddress | None:
    """None without a uri."""
    return MilvusAddress(uri, token) if uri else None


class Milvus:
    """One server. Thread-safe."""

    def __init__(self, client: Any) -> None:
        """client: a `pymilvus.MilvusClient`."""
        self._client = client
        self._lock = threading.Lock()
        self._rest_until = 0.0
        self._why = ""

    @property
    def client(self) -> Any:
        """For what may take its time. Use it within `typed_failures`."""
        return self._client

    def search(self, collection: str, query: Any, **options: Any) -> list[dict[str, Any]]:
        """Raises VectorsUnavailable, shortly after a failure at once."""
        with self._lock:
            if self._why and time.monotonic() < self._rest_until:
                raise VectorsUnavailable(self._why)
        try:
            with typed_failures():
                found = self._client.search(collection, [query], timeout=ANSWER_S, **options)
        except VectorsGone:  # the others are there
            raise
        except VectorsUnavailable as failure:
            with self._lock:
                self._why, self._rest_until = str(failure), time.monotonic() + REST_S
            raise
        self._why = ""
        hits: list[dict[str, Any]] = found[0]
        return hits


def connected(address: MilvusAddress | None) -> Milvus:
    """Raises VectorsUnavailable."""
    if address is None:
        raise VectorsUnavailable(
            "The vectors of this collection are in Milvus: set MILVUS_URI to where it is."
        )
    return _connected(address)


@lru_cache
def _connected(address: MilvusAddress) -> Milvus:
    """One connection a process: it survives restarts of the server."""
    try:
        from pymilvus import MilvusClient
    except ModuleNotFoundError as error:
        raise VectorsUnavailable("Milvus needs the package pymilvus, which is not installed here.") from error
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs is raised as well
    with typed_failures():
        client = MilvusClient(address.uri, token=address.token, timeout=CONNECT_S)
        version = str(client.get_server_version(timeout=ANSWER_S))
    numbers = re.search(r"(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_VERSION:
        client.close()
        raise VectorsUnavailable("This Milvus is too old: version 2.3 or a later one is needed.")
    return Milvus(client)


@contextmanager
def typed_failures() -> Iterator[None]:
    """Whatever the client raises becomes VectorsUnavailable, which says what to do."""
    try:
        yield
    except VectorsUnavailable:
        raise
    except Exception as error:
        logger.warning("Milvus: %s", error)
        raise _typed(error) from error


def _typed(error: Exception) -> VectorsUnavailable:
    """The client raises errors of its own with numbers, and of gRPC, one perhaps as the cause of another."""
    if getattr(error, "code", None) == 100:
        return VectorsGone(GONE)
    words = " ".join(str(each) for each in _with_causes(error)).lower()
    for signs, sentence in SENTENCES.items():
        if any(sign in words for sign in signs):
            return VectorsUnavailable(sentence)
    return VectorsUnavailable(FAILED)


def _with_causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:  # the client makes circles of them
        found.append(cause)
        cause = cause.__cause__
    return found
