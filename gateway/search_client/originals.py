"""The file of an indexed image on its way from the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc

from gateway import errors
from gateway.search_client.failures import translated
from protos.imagesearch.v1 import search_pb2


class Messages:
    """The messages of one call. However long all of them take, each has its own time."""

    def __init__(self, call: grpc.aio.UnaryStreamCall[Any, Any], timeout_s: float) -> None:
        self._call = call
        self._messages: AsyncIterator[search_pb2.GetOriginalResponse] = aiter(call)
        self._timeout_s = timeout_s

    async def read(self) -> search_pb2.GetOriginalResponse:
        """The next message, after the last one an empty one. Raises an error of the gateway."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await anext(self._messages, search_pb2.GetOriginalResponse())
        except TimeoutError:
            raise errors.DeadlineExceeded from None
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None

    def cancel(self) -> None:
        self._call.cancel()


@dataclass(frozen=True, slots=True)
class Original:
    """What the file is, and its bytes as they come. Close it, or the service waits to send more of it."""

    file_name: str
    """Without its folder."""
    media_type: str
    size_bytes: int
    """Of the whole file."""
    _messages: Messages

    @classmethod
    async def opened(cls, messages: Messages) -> Original:
        file = (await messages.read()).file
        return cls(file.file_name, file.media_type, file.size_bytes, messages)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes asked for."""
        while chunk := (await self._messages.read()).chunk:
            yield chunk

    def close(self) -> None:
        self._messages.cancel()
