"""What the gateway remembers of earlier answers: thumbnails, which never change for an id, and the index."""

from __future__ import annotations

from collections import OrderedDict
from enum import IntEnum

from gateway.collection_schemas import IndexResponse
from gateway.errors import GatewayError
from gateway.search_client import SearchClient

# Some 1,600 of them, or 50 pages. An answer from here costs half of one that asks the service.
MAX_BYTES = 16 * 2**20


class ThumbnailSize(IntEnum):
    """Pixels of the long side, at most."""

    SMALL = 256
    MEDIUM = 512
    LARGE = 1600


class KnownThumbnails:
    """Remembers thumbnails by image id and size. Those unused for longest are forgotten first."""

    def __init__(self, client: SearchClient, max_bytes: int = MAX_BYTES) -> None:
        self._client = client
        self._free_bytes = max_bytes
        self._known: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    async def of(self, image_id: str, size: int = ThumbnailSize.SMALL) -> bytes:
        """A WebP, `size` pixels long at most. Raises UnknownImage or PhotoGone."""
        key = (image_id, size)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        thumbnail = await self._client.thumbnail(image_id, size)
        self._remember(key, thumbnail)
        return thumbnail

    def _remember(self, key: tuple[str, int], thumbnail: bytes) -> None:
        # Another request may have asked for it at the same time.
        self._free_bytes += len(self._known.pop(key, b"")) - len(thumbnail)
        self._known[key] = thumbnail
        while self._free_bytes < 0:
            _, forgotten = self._known.popitem(last=False)
            self._free_bytes += len(forgotten)


class KnownIndex:
    """Remembers the newest snapshot seen, because the answers hardly describe it and every page does."""

    def __init__(self, client: SearchClient) -> None:
        self._client = client
        self._known: IndexResponse | None = None

    async def of(self, version: str) -> IndexResponse | None:
        """This snapshot; None where the service cannot tell just now or has gone on to another one."""
        if self._known is None or self._known.version != version:
            try:
                index = await self._client.get_index()
                # Which is no part of the snapshot, and soon out of date.
                self._known = index.model_copy(update={"indexing": None})
            except GatewayError:
                return None
        return self._known if self._known.version == version else None
