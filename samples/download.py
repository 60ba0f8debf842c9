"""Fetching one file over HTTP: on from where it broke off, and checked before anybody uses it."""

from __future__ import annotations

import hashlib
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from samples.console import Progress
from samples.errors import DownloadDamaged, SourceUnreachable

logger = logging.getLogger(__name__)

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class RemoteFile:
    url: str
    size_bytes: int
    sha256: str


def download(remote: RemoteFile, target: Path, progress: Progress) -> None:
    """Completes `target` with what it lacks; a file broken off before is continued, not begun again.

    Progress is in bytes. Raises SourceUnreachable (what has come stays, for the next time) and
    DownloadDamaged (nothing stays).
    """
    have_bytes = target.stat().st_size if target.exists() else 0
    if have_bytes != remote.size_bytes:
        _fetch(remote, target, have_bytes if have_bytes < remote.size_bytes else 0, progress)
    progress(remote.size_bytes, remote.size_bytes)
    with target.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() == remote.sha256:
            return
    target.unlink()
    raise DownloadDamaged(f"What came from {remote.url} is not the published archive; nothing was kept.")


def _fetch(remote: RemoteFile, target: Path, start: int, progress: Progress) -> None:
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            begin = start if response.status == HTTPStatus.PARTIAL_CONTENT else 0
            with target.open("r+b" if begin else "wb") as stream:
                stream.seek(begin)
                stream.truncate()
                for chunk in _chunks(response, remote.size_bytes - begin):
                    stream.write(chunk)
                    progress(stream.tell(), remote.size_bytes)
                have_bytes = stream.tell()
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        logger.info("The download ended early: %s", error)
        raise SourceUnreachable(f"{remote.url} cannot be reached.") from error
    if have_bytes < remote.size_bytes:
        raise SourceUnreachable(f"{remote.url} broke off after {have_bytes} of {remote.size_bytes} bytes.")


def _chunks(response: HTTPResponse, limit_bytes: int) -> Iterator[bytes]:
    """The body, but never more than was announced, so that a wrong server cannot fill the disk."""
    while limit_bytes > 0 and (chunk := response.read(min(CHUNK_BYTES, limit_bytes))):
        limit_bytes -= len(chunk)
        yield chunk
