"""The calls, each with a deadline."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway import collection_schemas, errors
from gateway.search_client.collection_messages import (
    duplicates_response,
    folders_response,
    index_response,
    refused_response,
)
from gateway.search_client.failures import translated
from gateway.search_client.messages import (
    Answer,
    IndexedImage,
    Query,
    indexed_image,
    known_shape,
    search_answer,
    search_request,
)
from gateway.search_client.originals import Messages, Original
from gateway.settings import Settings
from protos.imagesearch.v1 import search_pb2, search_pb2_grpc

# A GetIndex with 1,000 refused files of long paths exceeds gRPC's default of 4 MiB.
MAX_RECEIVE_BYTES = 16 * 2**20
# What a request holds in addition to the pictures.
MESSAGE_SLACK_BYTES = 64 * 2**10
# A service that stops ends calls in UNAVAILABLE or CANCELLED. Calls change nothing, so another replica, or
# the same service started again, may answer them.
RETRIES = {
    "maxAttempts": 3,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}
CHANNEL_OPTIONS = (
    ("grpc.service_config", json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": RETRIES}]})),
    # The service is a neighbour: a proxy of the environment is for the world outside.
    ("grpc.enable_http_proxy", 0),
    # Else each original whose client does not read takes 5 MB here, not 0.6 MB: windows grow on a quick line.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES),
    # A restarted search service is found again within seconds; gRPC's default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)

Response = TypeVar("Response")


class SearchClient:
    """Calls the search service over one channel. Every method raises an error of the gateway on failure."""

    def __init__(self, channel: grpc.aio.Channel, settings: Settings) -> None:
        self._channel = channel
        self._stub = search_pb2_grpc.ImageSearchServiceStub(channel)  # type: ignore[no-untyped-call]
        self._health = health_pb2_grpc.HealthStub(channel)
        self._timeout_s = settings.search_timeout_s
        self._max_pixels = settings.max_pixels
        self._root_path = settings.root_path
        token = settings.extractor_token.get_secret_value()
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    @classmethod
    def connect(cls, settings: Settings) -> SearchClient:
        """Opens the channel, not waiting for the service. Raises OSError when the CA file cannot be read."""
        return cls(_open_channel(settings), settings)

    async def close(self) -> None:
        await self._channel.close(grace=None)

    async def search(self, query: Query, *, preview: bool) -> Answer:
        """Finds the nearest indexed images; with `preview`, returns the query's photos as pictures too."""
        request = search_request(query, self._max_pixels, preview)
        return search_answer(await self._call(self._stub.Search, request), self._root_path)

    async def get_image(self, image_id: str) -> IndexedImage:
        """Raises UnknownImage where the live snapshot has no image of this id."""
        request = search_pb2.GetImageRequest(image_id=known_shape(image_id))
        message = await self._call(self._stub.GetImage, request)
        return indexed_image(message.image)

    async def get_index(self) -> collection_schemas.IndexResponse:
        return index_response(await self._call(self._stub.GetIndex, search_pb2.GetIndexRequest()))

    async def sample_images(self, size: int) -> list[IndexedImage]:
        """At most `size` images, spread evenly over the collection."""
        request = search_pb2.ListImagesRequest(page_size=size, sample=True)
        message = await self._call(self._stub.ListImages, request)
        return [indexed_image(record) for record in message.images]

    async def list_folders(self) -> collection_schemas.FoldersResponse:
        message = await self._call(self._stub.ListFolders, search_pb2.ListFoldersRequest())
        return folders_response(message)

    async def list_duplicates(
        self, kind: collection_schemas.DuplicateKind | None, limit: int, offset: int
    ) -> collection_schemas.DuplicatesResponse:
        """kind: None for the closest of which there is a group."""
        request = search_pb2.ListDuplicatesRequest(kind=kind or "", limit=limit, offset=offset)
        message = await self._call(self._stub.ListDuplicates, request)
        return duplicates_response(message, offset, self._root_path)

    async def list_refused(self, limit: int, offset: int) -> collection_schemas.RefusedResponse:
        request = search_pb2.ListRefusedRequest(limit=limit, offset=offset)
        return refused_response(await self._call(self._stub.ListRefused, request), offset)

    async def thumbnail(self, image_id: str) -> bytes:
        """A WebP. Raises UnknownImage; PhotoGone where the store lacks it."""
        request = search_pb2.GetThumbnailRequest(image_id=known_shape(image_id))
        call = self._stub.GetThumbnail(request, timeout=self._timeout_s, metadata=self._metadata)
        try:
            return b"".join([message.chunk async for message in call])
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None

    async def open_original(self, image_id: str, offset: int = 0, length: int | None = None) -> Original:
        """`length` bytes from `offset` on; None: all that follow. A negative offset counts from the end.

        Raises UnknownImage; PhotoGone where the file is not the indexed one any more.
        """
        request = search_pb2.GetOriginalRequest(image_id=known_shape(image_id), offset=offset, length=length)
        call = self._stub.GetOriginal(request, metadata=self._metadata)
        return await Original.opened(Messages(call, self._timeout_s))

    async def check_serving(self) -> None:
        """Raises ExtractorUnavailable unless the service calls itself able to answer."""
        message = await self._call(self._health.Check, health_pb2.HealthCheckRequest())
        if message.status != health_pb2.HealthCheckResponse.SERVING:
            raise errors.ExtractorUnavailable

    async def _call(self, method: Callable[..., Awaitable[Response]], request: object) -> Response:
        try:
            return await method(request, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None


def _open_channel(settings: Settings) -> grpc.aio.Channel:
    # What is not kept whole until it is answered cannot be sent a second time.
    kept = ("grpc.per_rpc_retry_buffer_size", settings.max_upload_bytes + MESSAGE_SLACK_BYTES)
    options = (*CHANNEL_OPTIONS, kept)
    if settings.extractor_tls_ca_file is None:
        return grpc.aio.insecure_channel(settings.extractor_address, options=options)
    credentials = grpc.ssl_channel_credentials(settings.extractor_tls_ca_file.read_bytes())
    return grpc.aio.secure_channel(settings.extractor_address, credentials, options=options)
