"""What is known of the collection beyond an answer: why its model was taken, whether it can be verified."""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.schemas import IndexResponse
from gateway.search_client import SearchClient


class KnownIndex:
    """Remembers the newest snapshot seen, because the answers hardly describe it and every page does."""

    def __init__(self, client: SearchClient) -> None:
        self._client = client
        self._known: IndexResponse | None = None

    async def of(self, version: str) -> IndexResponse | None:
        """This snapshot; None where the service cannot tell just now or has gone on to another one."""
        if self._known is None or self._known.version != version:
            try:
                self._known = await self._client.get_index()
            except GatewayError:
                return None
        return self._known if self._known.version == version else None
