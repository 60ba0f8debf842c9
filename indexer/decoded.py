"""Photos decoded by worker processes, a bounded number of them ahead of the network."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from imagesearch.errors import InvalidImage, UndecodableImage
from imagesearch.pictures.prepare import IndexedPicture
from imagesearch.store.ledger import FileState

logger = logging.getLogger(__name__)

Decoded = IndexedPicture | InvalidImage
"""The picture, or why there is none."""


def decode_ahead(
    files: Iterable[FileState], submit: Callable[[FileState], Future[IndexedPicture]], ahead: int
) -> Iterator[tuple[FileState, Decoded]]:
    """Every file with its picture, in the order given; at most `ahead` more are decoded or being decoded."""
    waiting: deque[tuple[FileState, Future[IndexedPicture]]] = deque()
    for file in files:
        waiting.append((file, submit(file)))
        if len(waiting) > ahead:
            yield _settled(*waiting.popleft())
    while waiting:
        yield _settled(*waiting.popleft())


def _settled(file: FileState, future: Future[IndexedPicture]) -> tuple[FileState, Decoded]:
    try:
        return file, future.result()
    except InvalidImage as error:
        return file, error
    except Exception:
        # A defect of ours that one photo brings to light must not keep the others out of the index.
        logger.exception("Decoding %s failed unexpectedly", file.path)
        return file, UndecodableImage("The image cannot be decoded.")
