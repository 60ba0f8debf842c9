"""The client of the search service: the only place that knows its protocol.

Every call has a deadline, and every failure becomes an error of the gateway by one table.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TypeVar

import grpc
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from gateway import errors, schemas
from gateway.settings import Settings
from protos.imagesearch.v1 import search_pb2, search_pb2_grpc

logger = logging.getLogger(__name__)

ERROR_DOMAIN = "imagesearch"
IMAGE_ID = re.compile(r"[0-9a-f]{32}")

# A GetIndex with 1,000 refused files of long paths exceeds gRPC's default of 4 MiB.
MAX_RECEIVE_BYTES = 16 * 2**20
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES),
    # A restarted search service is found again within seconds; gRPC's default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)

# What the service names as the reason, and, where it names none (it was never reached), the status code.
ERROR_BY_REASON: dict[str, type[errors.GatewayError]] = {
    "EMPTY_IMAGE": errors.EmptyImage,
    "TOO_MANY_BYTES": errors.TooManyBytes,
    "TOO_MANY_PIXELS": errors.TooManyPixels,
    "UNSUPPORTED_IMAGE_TYPE": errors.UnsupportedImageType,
    "UNDECODABLE_IMAGE": errors.UndecodableImage,
    "INVALID_OPTION": errors.InvalidOption,
    "UNKNOWN_IMAGE": errors.UnknownImage,
    "OPTION_UNAVAILABLE": errors.OptionUnavailable,
    "INDEX_NOT_READY": errors.IndexNotReady,
    "OVERLOADED": errors.Overloaded,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
}
ERROR_BY_STATUS: dict[grpc.StatusCode, type[errors.GatewayError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.UNAVAILABLE: errors.ExtractorUnavailable,
}

Response = TypeVar("Response")


@dataclass(frozen=True, slots=True)
class Query:
    """One search: the bytes of an image file, or the id of an indexed one."""

    options: schemas.SearchOptions
    image: bytes | None = None
    image_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out as JSON, and the query as a small WebP, empty unless asked for."""

    response: schemas.SearchResponse
    preview: bytes


@dataclass(frozen=True, slots=True)
class IndexedImage:
    """An indexed image. `paths` are relative to the indexed folder, `thumbnail_path` to the store."""

    image_id: str
    paths: tuple[str, ...]
    width: int
    height: int
    media_type: str
    size_bytes: int
    thumbnail_path: str


class SearchClient:
    """Calls the search service over one channel. Every method raises an error of the gateway on failure."""

    def __init__(self, channel: grpc.aio.Channel, settings: Settings) -> None:
        self._channel = channel
        self._stub = search_pb2_grpc.ImageSearchServiceStub(channel)  # type: ignore[no-untyped-call]
        self._health = health_pb2_grpc.HealthStub(channel)
        self._timeout_s = settings.search_timeout_s
        self._max_pixels = settings.max_pixels
        token = settings.extractor_token.get_secret_value()
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    @classmethod
    def connect(cls, settings: Settings) -> SearchClient:
        """Opens the channel, not waiting for the service. Raises OSError when the CA file cannot be read."""
        return cls(_open_channel(settings.extractor_address, settings.extractor_tls_ca_file), settings)

    async def close(self) -> None:
        await self._channel.close(grace=None)

    async def search(self, query: Query, *, preview: bool) -> Answer:
        """Finds the nearest indexed images; with `preview`, returns the query as a picture too."""
        message = await self._call(self._stub.Search, self._search_request(query, preview))
        return Answer(_search_response(message), message.preview)

    async def get_image(self, image_id: str) -> IndexedImage:
        """Raises UnknownImage where the live snapshot has no image of this id."""
        request = search_pb2.GetImageRequest(image_id=_known_shape(image_id))
        message = await self._call(self._stub.GetImage, request)
        return _indexed_image(message.image)

    async def get_index(self) -> schemas.IndexResponse:
        return _index_response(await self._call(self._stub.GetIndex, search_pb2.GetIndexRequest()))

    async def sample_images(self, size: int) -> list[IndexedImage]:
        """At most `size` images, spread evenly over the collection."""
        request = search_pb2.ListImagesRequest(page_size=size, sample=True)
        message = await self._call(self._stub.ListImages, request)
        return [_indexed_image(record) for record in message.images]

    async def check_serving(self) -> None:
        """Raises ExtractorUnavailable unless the service calls itself able to answer."""
        message = await self._call(self._health.Check, health_pb2.HealthCheckRequest())
        if message.status != health_pb2.HealthCheckResponse.SERVING:
            raise errors.ExtractorUnavailable

    def _search_request(self, query: Query, preview: bool) -> search_pb2.SearchRequest:
        options = query.options
        request = search_pb2.SearchRequest(
            limit=options.limit,
            exact=options.exact,
            expand=options.expand,
            verify=options.verify,
            preview=preview,
        )
        if query.image is not None:
            request.image.content = query.image
            request.image.max_pixels = self._max_pixels
        else:
            request.image_id = _known_shape(query.image_id or "")
        if options.region is not None:
            request.region.CopyFrom(_region_message(options.region))
        if options.max_distance is not None:
            request.max_distance = options.max_distance
        return request

    async def _call(self, method: Callable[..., Awaitable[Response]], request: object) -> Response:
        try:
            return await method(request, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise _translated(error) from None


def _open_channel(address: str, ca_file: Path | None) -> grpc.aio.Channel:
    if ca_file is None:
        return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(root_certificates=ca_file.read_bytes())
    return grpc.aio.secure_channel(address, credentials, options=CHANNEL_OPTIONS)


def _translated(error: grpc.aio.AioRpcError) -> errors.GatewayError:
    cause = ERROR_BY_REASON.get(_reason(error)) or ERROR_BY_STATUS.get(error.code(), errors.ExtractorFailed)
    if cause is errors.ExtractorFailed:
        logger.error("the search service failed: %s %s", error.code().name, error.details())
    return cause()


def _reason(error: grpc.aio.AioRpcError) -> str:
    """The reason of the service's google.rpc.ErrorInfo; empty where there is none."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:  # the details contradict the status they came with
        return ""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info) and info.domain == ERROR_DOMAIN:
            return str(info.reason)
    return ""


def _known_shape(image_id: str) -> str:
    """The id itself. What cannot be an id cannot be known, so that the service need not be asked."""
    if not IMAGE_ID.fullmatch(image_id):
        raise errors.UnknownImage
    return image_id


def _region_message(region: schemas.Region) -> search_pb2.Region:
    """Clamps what decimal rounding let reach past the edge."""
    return search_pb2.Region(
        x=region.x,
        y=region.y,
        width=min(region.width, 1 - region.x),
        height=min(region.height, 1 - region.y),
    )


def _search_response(message: search_pb2.SearchResponse) -> schemas.SearchResponse:
    return schemas.SearchResponse(
        query=_query_image(message.query),
        results=[_hit(hit) for hit in message.hits],
        index=schemas.IndexSummary(
            version=message.index.version,
            count=message.index.count,
            descriptor=message.index.descriptor,
            model=message.index.model,
            approximate=message.index.approximate,
        ),
        timings_ms=_timings(message.timings),
    )


def _timings(message: search_pb2.Timings) -> schemas.Timings:
    return schemas.Timings(
        decode=round(message.decode_ms, 2),
        extract=round(message.extract_ms, 2),
        search=round(message.search_ms, 2),
        verify=round(message.verify_ms, 2),
        total=round(message.total_ms, 2),
    )


def _query_image(message: search_pb2.QueryImage) -> schemas.QueryImage:
    region = message.region
    return schemas.QueryImage(
        width=message.width,
        height=message.height,
        region=schemas.Region(x=region.x, y=region.y, width=region.width, height=region.height)
        if message.HasField("region")
        else None,
    )


def _hit(message: search_pb2.Hit) -> schemas.Hit:
    return schemas.Hit(
        image_id=message.image_id,
        url=f"/images/{message.image_id}",
        thumbnail_url=f"/thumbnails/{message.image_id}",
        path=message.path,
        width=message.width,
        height=message.height,
        distance=message.distance,
        score=message.score if message.HasField("score") else None,
        match=_match(message.match) if message.HasField("match") else None,
    )


def _match(message: search_pb2.Match) -> schemas.Match:
    corners = [schemas.Point(x=corner.x, y=corner.y) for corner in message.quadrilateral]
    return schemas.Match(inliers=message.inliers, quadrilateral=corners)


def _indexed_image(message: search_pb2.ImageRecord) -> IndexedImage:
    return IndexedImage(
        image_id=message.image_id,
        paths=tuple(message.paths),
        width=message.width,
        height=message.height,
        media_type=message.media_type,
        size_bytes=message.size_bytes,
        thumbnail_path=message.thumbnail_path,
    )


def _index_response(message: search_pb2.GetIndexResponse) -> schemas.IndexResponse:
    summary = message.summary
    return schemas.IndexResponse(
        version=summary.version,
        count=summary.count,
        descriptor=summary.descriptor,
        dimensions=message.dimensions,
        model=summary.model,
        model_digest=message.model_digest,
        model_note=message.model_note,
        index_kind=message.index_kind,
        index_note=message.index_note,
        index_recall_at_10=message.index_recall_at_10 if message.HasField("index_recall_at_10") else None,
        index_latency_ms=message.index_latency_ms if message.HasField("index_latency_ms") else None,
        approximate=summary.approximate,
        local_features=message.local_features,
        index_precision=message.index_precision,
        query_precision=message.query_precision,
        build_time=message.build_time.ToDatetime(tzinfo=UTC),
        refused_count=message.refused_count,
        refused=[
            schemas.RefusedFile(path=file.path, reason=file.reason, detail=file.detail)
            for file in message.refused
        ],
    )
