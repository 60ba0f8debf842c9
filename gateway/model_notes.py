"""Why the collection's model was taken, which the page says beside every answer."""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.search_client import SearchClient


class ModelNotes:
    """Remembers the note of the newest snapshot seen, because it comes with none of the answers."""

    def __init__(self, client: SearchClient) -> None:
        self._client = client
        self._version = ""
        self._note = ""

    async def of(self, version: str) -> str:
        """The note of this snapshot; empty where there is none or the service cannot tell just now."""
        if version != self._version:
            try:
                self._note = (await self._client.get_index()).model_note
            except GatewayError:
                return ""
            self._version = version
        return self._note
