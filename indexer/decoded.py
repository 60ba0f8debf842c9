"""Photos decoded by worker processes, a bounded number of them ahead of the network."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from imagesearch.errors import InvalidImage, UndecodableImage
from imagesearch.store.ledger import FileState

logger = logging.getLogger(__name__)

Found = TypeVar("Found")


def decode_ahead(
    files: Iterable[FileState], submit: Callable[[FileState], Future[Found]], ahead: int
) -> Iterator[tuple[FileState, Found | InvalidImage]]:
    """Every file with what is found in it, or why nothing is, in the order given; at most `ahead` more are
    decoded or being decoded."""
    waiting: deque[tuple[FileState, Future[Found]]] = deque()

    def oldest() -> tuple[FileState, Found | InvalidImage]:
        file, future = waiting.popleft()
        found = _outcome(file, future)
        return file, found

    for file in files:
        waiting.append((file, submit(file)))
        if len(waiting) > ahead:
            yield oldest()
    while waiting:
        yield oldest()


def _outcome(file: FileState, future: Future[Found]) -> Found | InvalidImage:
    try:
        return future.result()
    except InvalidImage as error:
        return error
    except Exception:
        # A defect of ours that one photo brings to light must not keep the others out of the index.
        logger.exception("Decoding %s failed unexpectedly", file.path)
        return UndecodableImage("The image cannot be decoded.")
