"""The calls, each with a deadline."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway import collection_schemas, errors
from gateway.search_client.channels import any_channel, balanced_channel
from gateway.search_client.collection_messages import (
    duplicates_response,
    folders_response,
    index_response,
    refused_response,
)
from gateway.search_client.failures import translated
from gateway.search_client.messages import (
    Answer,
    FolderPage,
    IndexedImage,
    Query,
    indexed_image,
    known_shape,
    search_answer,
    search_request,
)
from gateway.search_client.on_behalf import call_metadata
from gateway.search_client.originals import Messages, Original
from gateway.settings import Settings
from protos.imagesearch.v1 import search_pb2, search_pb2_grpc

P = ParamSpec("P")
Answered = TypeVar("Answered")


def asking_again(
    ask: Callable[P, Coroutine[Any, Any, Answered]],
) -> Callable[P, Coroutine[Any, Any, Answered]]:
    """Asks once more about an image that is not known: the next replica may have another snapshot already."""

    @wraps(ask)
    async def asking(*args: P.args, **kwargs: P.kwargs) -> Answered:
        try:
            return await ask(*args, **kwargs)
        except errors.UnknownImage:
            return await ask(*args, **kwargs)

    return asking


class SearchClient:
    """Calls the search service, of which there may be several replicas. Every method raises an error of the
    gateway on failure."""

    def __init__(self, balanced: grpc.aio.Channel, to_any: grpc.aio.Channel, settings: Settings) -> None:
        """balanced: to those replicas that are able to answer; to_any: to one that may tell why none is."""
        self._channels = (balanced, to_any)
        self._stub, self._any_stub = (
            search_pb2_grpc.ImageSearchServiceStub(channel)  # type: ignore[no-untyped-call]
            for channel in self._channels
        )
        self._health = health_pb2_grpc.HealthStub(balanced)
        self._timeout_s = settings.search_timeout_s
        self._max_pixels = settings.max_pixels
        self._root_path = settings.root_path
        token = settings.extractor_token.get_secret_value()
        self._authorization = (("authorization", f"Bearer {token}"),) if token else ()

    @classmethod
    def connect(cls, settings: Settings) -> SearchClient:
        """Opens the channels, not waiting for the service. Raises OSError when the CA file cannot be read."""
        return cls(balanced_channel(settings), any_channel(settings), settings)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close(grace=None)

    @asking_again
    async def search(self, query: Query, *, preview: bool) -> Answer:
        """Finds the nearest indexed images; with `preview`, returns the query's photos as pictures too."""
        request = search_request(query, self._max_pixels, preview)
        return search_answer(await self._call("Search", request), self._root_path)

    @asking_again
    async def get_image(self, image_id: str) -> IndexedImage:
        """Raises UnknownImage where the live snapshot has no image of this id."""
        request = search_pb2.GetImageRequest(image_id=known_shape(image_id))
        message = await self._call("GetImage", request)
        return indexed_image(message.image)

    async def get_index(self) -> collection_schemas.IndexResponse:
        return index_response(await self._call("GetIndex", search_pb2.GetIndexRequest()))

    async def sample_images(self, size: int, seed: int = 0) -> list[IndexedImage]:
        """At most `size` images, spread evenly over the collection; others for each seed."""
        request = search_pb2.ListImagesRequest(page_size=size, sample=True, seed=seed)
        message = await self._call("ListImages", request)
        return [indexed_image(record) for record in message.images]

    async def folder_images(self, folder: str, size: int, token: str) -> FolderPage:
        """In order of path, from the page of this token on. Raises UnknownFolder."""
        request = search_pb2.ListImagesRequest(page_size=size, folder=folder, page_token=token)
        message = await self._call("ListImages", request)
        return FolderPage([indexed_image(record) for record in message.images], message.next_page_token)

    async def list_folders(self) -> collection_schemas.FoldersResponse:
        message = await self._call("ListFolders", search_pb2.ListFoldersRequest())
        return folders_response(message)

    async def list_duplicates(
        self, kind: collection_schemas.DuplicateKind | None, limit: int, offset: int
    ) -> collection_schemas.DuplicatesResponse:
        """kind: None for the closest of which there is a group."""
        request = search_pb2.ListDuplicatesRequest(kind=kind or "", limit=limit, offset=offset)
        message = await self._call("ListDuplicates", request)
        return duplicates_response(message, offset, self._root_path)

    async def list_refused(self, limit: int, offset: int) -> collection_schemas.RefusedResponse:
        request = search_pb2.ListRefusedRequest(limit=limit, offset=offset)
        return refused_response(await self._call("ListRefused", request), offset)

    @asking_again
    async def thumbnail(self, image_id: str, size: int) -> bytes:
        """A WebP. Raises UnknownImage; PhotoGone where the picture cannot be had."""
        request = search_pb2.GetThumbnailRequest(image_id=known_shape(image_id), size=size)
        call = self._stub.GetThumbnail(request, timeout=self._timeout_s, metadata=self._metadata())
        try:
            return b"".join([message.chunk async for message in call])
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None

    @asking_again
    async def open_original(self, image_id: str, offset: int = 0, length: int | None = None) -> Original:
        """`length` bytes from `offset` on; None: all that follow. A negative offset counts from the end.

        Raises UnknownImage; PhotoGone where the file is not the indexed one any more.
        """
        request = search_pb2.GetOriginalRequest(image_id=known_shape(image_id), offset=offset, length=length)
        call = self._stub.GetOriginal(request, metadata=self._metadata())
        return await Original.opened(Messages(call, self._timeout_s))

    async def check_serving(self) -> None:
        """Raises ExtractorUnavailable unless the service calls itself able to answer, and answers us."""
        message = await self._answer(self._health, "Check", health_pb2.HealthCheckRequest())
        if message.status != health_pb2.HealthCheckResponse.SERVING:
            raise errors.ExtractorUnavailable
        try:  # health is told without a token, everything else is not
            await self.get_index()
        except errors.ExtractorFailed:
            raise errors.ExtractorUnavailable from None

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return self._authorization + call_metadata()

    async def _call(self, method: str, request: object) -> Any:
        try:
            return await self._answer(self._stub, method, request)
        except errors.ExtractorUnavailable:
            # No replica calls itself able to answer, and one that listens says why.
            return await self._answer(self._any_stub, method, request)

    async def _answer(self, stub: object, method: str, request: object) -> Any:
        try:
            return await getattr(stub, method)(request, timeout=self._timeout_s, metadata=self._metadata())
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None
