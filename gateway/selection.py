"""Several photos as one file: a zip of their originals, or a table of their paths."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from datetime import datetime

from gateway.errors import PhotoGone
from gateway.search_client import IndexedImage, SearchClient

MAX_SELECTED = 100
MISSING = "not included.txt"
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""As far back as a zip can tell."""


class _Drained(io.RawIOBase):
    """What a zip is written to, piece by piece; it cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(piece))
        return len(piece)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


async def zipped(client: SearchClient, images: Iterable[IndexedImage]) -> AsyncIterator[bytes]:
    """A zip as it comes, by path in the collection; not compressed, for photos are.

    Those whose file is gone are named in a text file in it.
    """
    out, gone = _Drained(), []
    with zipfile.ZipFile(out, "w") as archive:
        for image in images:
            try:
                original = await client.open_original(image.image_id)
            except PhotoGone:
                gone.append(image.paths[0])
                continue
            with closing(original), archive.open(_entry(image), "w") as entry:
                async for chunk in original.chunks():
                    entry.write(chunk)
                    yield out.take()
        if gone:
            archive.writestr(MISSING, "\n".join(gone) + "\n")
    yield out.take()


def _entry(image: IndexedImage) -> zipfile.ZipInfo:
    taken = datetime.fromisoformat(image.taken_at).timetuple()[:6] if image.taken_at else _OLDEST
    entry = zipfile.ZipInfo(image.paths[0], max(taken, _OLDEST))
    entry.file_size = image.size_bytes
    return entry


def table(images: Iterable[IndexedImage]) -> str:
    """CSV as RFC 4180 says, with a header; a line for each path."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["path", "image_id", "width", "height", "bytes", "taken_at"])
    for image in images:
        for path in image.paths:
            facts = (image.width, image.height, image.size_bytes, image.taken_at)
            writer.writerow([path, image.image_id, *facts])
    return text.getvalue()
