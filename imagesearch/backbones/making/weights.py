"""Fetching VGG16's published weights: checked, resumable, and plain about why when it cannot."""

from __future__ import annotations

import errno
import http.client
import queue
import shutil
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imagesearch.backbones.cards import VGG16
from imagesearch.backbones.making.weight_files import has_digest
from imagesearch.errors import ModelUnavailable

Progress = Callable[[str, int, int], None]
"""Called with what is done ("downloading", in bytes; "converting", in steps), how much of it, of how much."""

ANSWER_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 20
PARTIAL_CONTENT = 206
RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file on the web and how to tell it."""

    url: str
    digest: str
    """As in a `Card`."""

    @property
    def name(self) -> str:
        return urlsplit(self.url).path.rsplit("/", 1)[-1]

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


VGG16_IMAGENET = PublishedFile(  # as in keras.applications.vgg16
    url="https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    digest=VGG16.digest,
)


class FetchFailed(ModelUnavailable):
    """The published weights could not be fetched. `why` is a clause that fits into a sentence."""

    def __init__(self, published: PublishedFile, why: str) -> None:
        super().__init__(
            f"The weights could not be fetched: {why}. Try again, which continues where it stopped, "
            f"or get {published.name} some other way and give it as VGG16_WEIGHTS=FILE."
        )
        self.why = why


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody watches."""


def fetch(
    published: PublishedFile,
    folder: Path,
    progress: Progress = silent,
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> Path:
    """The published file in `folder`: there already, or downloaded, continuing where an earlier try stopped.

    What has come so far lies beside it as .part. The server must answer within `answer_timeout_s`, the
    resolution of its name included. Raises FetchFailed.
    """
    file = folder / published.name
    if file.is_file():
        return file
    part = file.with_name(f"{file.name}.part")
    try:
        _download(published, part, progress, answer_timeout_s)
    except (OSError, http.client.HTTPException) as error:
        raise FetchFailed(published, _why(error, published.host)) from error
    if not has_digest(part, published.digest):
        part.unlink()
        raise FetchFailed(published, f"what {published.host} sent is not the published file")
    part.rename(file)
    return file


def _download(published: PublishedFile, part: Path, progress: Progress, answer_timeout_s: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = _answer(urllib.request.Request(published.url, headers=headers), answer_timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == RANGE_NOT_SATISFIABLE:
            return  # all of it is there, or too much: its hash tells
        raise
    with answer:
        if answer.status != PARTIAL_CONTENT:
            have = 0  # the server sends it from the start
        remaining = int(answer.headers.get("Content-Length", 0))
        if remaining > shutil.disk_usage(part.parent).free:
            raise OSError(errno.ENOSPC, "too little space for the download")
        _receive(answer, part, have, have + remaining, progress)


def _receive(answer: Any, part: Path, have: int, total: int, progress: Progress) -> None:
    with part.open("ab" if have else "wb") as file:
        progress("downloading", have, total)
        while chunk := answer.read(CHUNK_BYTES):
            file.write(chunk)
            have += len(chunk)
            progress("downloading", have, total)
    if have < total:
        raise ConnectionAbortedError


def _answer(request: urllib.request.Request, timeout_s: float) -> Any:
    """The server's response. In a thread, because no socket's timeout covers the resolution of a name."""
    answers: queue.Queue[Any] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(request, timeout=READ_TIMEOUT_S))
        except (OSError, http.client.HTTPException) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _why(error: Exception, host: str) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{host} answered with status {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"{host} did not answer in time"
    if isinstance(cause, ConnectionRefusedError):
        return f"{host} refused the connection"
    if isinstance(cause, ConnectionError | http.client.HTTPException):
        return f"the connection to {host} broke off"
    if isinstance(cause, ssl.SSLError):
        return f"{host} could not be verified"
    if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if isinstance(cause, PermissionError):
        return "the store's folder models/ cannot be written"
    return f"{host} cannot be reached"
