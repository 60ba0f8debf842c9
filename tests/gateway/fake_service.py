"""A search service that says what it is told to, over real gRPC."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from protos.imagesearch.v1 import search_pb2, search_pb2_grpc

Context = Any  # the stubs know neither abort_with_status nor what metadata are


@dataclass
class Failure:
    """How the next calls end: a status, and the reason of an ErrorInfo unless it is empty."""

    code: grpc.StatusCode
    reason: str = ""
    message: str = "Traceback: /srv/secret/engine.py is broken"


@dataclass
class FakeService(search_pb2_grpc.ImageSearchServiceServicer):
    """Ranks its images by id, at distances 0.1, 0.2 and so on, whatever the query."""

    images: list[search_pb2.ImageRecord] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """By image id; one that is not there is gone."""
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    renderings: dict[str, bytes] = field(default_factory=dict)
    """Larger pictures, whatever the size."""
    refused: list[search_pb2.RefusedFile] = field(
        default_factory=lambda: [
            search_pb2.RefusedFile(path="bad.jpg", reason="UNDECODABLE_IMAGE", detail="It is cut off.")
        ]
    )
    left_out: dict[str, int] = field(default_factory=dict)
    unreadable: bytes | None = None
    """The content of a file that is no photo."""
    chunk_bytes: int = 4
    torn: bool = False
    """Originals end in a failure after their first chunk."""
    stall_s: float = 0.0
    """How long originals wait after each chunk."""
    failure: Failure | None = None
    fails_once: bool = False
    failing_calls: tuple[str, ...] = (
        "Search", "GetImage", "GetIndex", "ListImages", "ListDuplicates", "ListFolders", "ListRefused",
        "GetThumbnail", "GetOriginal",
    )  # fmt: skip
    delay_s: float = 0.0
    preview: bytes = b"RIFFpreview"
    model_note: str = ""
    descriptor_note: str = ""
    version: str = "000001"
    """Empty before the first snapshot."""
    indexing: search_pb2.Indexing | None = None
    has_scores: bool = True
    also: Sequence[search_pb2.OtherImage] = ()
    likeness: Sequence[str] = ("alike",)
    """Of the first hits; that of the last one named holds for those that follow."""
    match: search_pb2.Match | None = None
    local_features: bool = True
    approximate: bool = False
    located: search_pb2.Region | None = None
    localization: bool = True
    is_upload_damaged: bool = False
    indexed_upload: str = ""
    """The image id of what is uploaded."""
    text: bool = False
    int8_quality: search_pb2.Int8Quality | None = None
    address: str = ""
    searches: list[search_pb2.SearchRequest] = field(default_factory=list)
    originals: list[search_pb2.GetOriginalRequest] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    cancelled: int = 0
    health: Any = field(default_factory=health.aio.HealthServicer)  # type: ignore[attr-defined]

    def add(self, record: search_pb2.ImageRecord, content: bytes, thumbnail: bytes) -> None:
        self.images.append(record)
        self.files[record.image_id] = content
        self.thumbnails[record.image_id] = self.renderings[record.image_id] = thumbnail

    async def Search(  # noqa: N802
        self, request: search_pb2.SearchRequest, context: Context
    ) -> search_pb2.SearchResponse:
        self.searches.append(request)
        await self._begin("Search", context)
        if request.text and not self.text:
            await self._fail(Failure(grpc.StatusCode.FAILED_PRECONDITION, "TEXT_UNAVAILABLE"), context)
        photos = [*request.photos.positives, *request.photos.negatives]
        if self.unreadable in (request.image.content, *(photo.image.content for photo in photos)):
            await self._fail(Failure(grpc.StatusCode.INVALID_ARGUMENT, "UNSUPPORTED_IMAGE_TYPE"), context)
        if request.text and request.WhichOneof("query") in ("image", "image_id"):
            photos = [search_pb2.Photo(image_id=request.image_id)]
        own_ids = {request.image_id, *(photo.image_id for photo in photos)}
        others = [image for image in self.images if image.image_id not in own_ids]
        hits = [self._hit(rank, image) for rank, image in enumerate(others, start=1)]
        end = request.offset + (request.limit or 30)
        query = self._record(photos[0].image_id if photos else request.image_id)
        answer = search_pb2.SearchResponse(
            query=search_pb2.QueryImage(
                width=query.width if query else 640,
                height=query.height if query else 480,
                damaged=query.damaged if query else self.is_upload_damaged,
                image_id="" if query else self.indexed_upload,
            ),
            hits=hits[request.offset : end],
            next_offset=end if end < len(hits) else None,
            index=self._summary(),
            timings=search_pb2.Timings(decode_ms=3.14159, extract_ms=21, search_ms=0.6, total_ms=27.4),
            preview=self.preview if request.preview and not photos else b"",
            photos=[
                self._query_photo(photo, place >= len(request.photos.positives), request.preview)
                for place, photo in enumerate(photos)
            ],
        )
        if request.text and not photos:
            answer.ClearField("query")
        if request.HasField("region"):
            answer.query.region.CopyFrom(request.region)
        return answer

    async def GetImage(  # noqa: N802
        self, request: search_pb2.GetImageRequest, context: Context
    ) -> search_pb2.GetImageResponse:
        await self._begin("GetImage", context)
        record = self._record(request.image_id)
        if record is None:
            await self._fail(Failure(grpc.StatusCode.NOT_FOUND, "UNKNOWN_IMAGE"), context)
        return search_pb2.GetImageResponse(image=record)

    async def GetIndex(  # noqa: N802
        self, request: search_pb2.GetIndexRequest, context: Context
    ) -> search_pb2.GetIndexResponse:
        await self._begin("GetIndex", context)
        if self.indexing and not self.version:
            return search_pb2.GetIndexResponse(indexing=self.indexing)
        return search_pb2.GetIndexResponse(
            indexing=self.indexing,
            summary=self._summary(),
            dimensions=4096,
            model_digest="ab" * 32,
            model_note=self.model_note,
            descriptor_note=self.descriptor_note,
            index_precision="f32",
            query_precision="bf16",
            index_kind="exact",
            local_features=self.local_features,
            localization=self.localization,
            text=self.text,
            int8_quality=self.int8_quality,
            build_time=Timestamp(seconds=1_700_000_000),
            refused=self.refused,
            refused_count=len(self.refused),
        )

    async def ListImages(  # noqa: N802
        self, request: search_pb2.ListImagesRequest, context: Context
    ) -> search_pb2.ListImagesResponse:
        await self._begin("ListImages", context)
        if not request.folder:
            first = request.seed % max(len(self.images), 1)
            return search_pb2.ListImagesResponse(images=self.images[first:][: request.page_size])
        inside = [image for image in self.images if image.paths[0].startswith(f"{request.folder}/")]
        if not inside:
            await self._fail(Failure(grpc.StatusCode.NOT_FOUND, "UNKNOWN_FOLDER"), context)
        first = int(request.page_token or 0)
        end = first + request.page_size
        token = str(end) if end < len(inside) else ""
        return search_pb2.ListImagesResponse(images=inside[first:end], next_page_token=token)

    async def ListDuplicates(  # noqa: N802
        self, request: search_pb2.ListDuplicatesRequest, context: Context
    ) -> search_pb2.ListDuplicatesResponse:
        """Pairs of neighbours, whatever the kind."""
        await self._begin("ListDuplicates", context)
        groups = [
            search_pb2.DuplicateGroup(
                files=[
                    search_pb2.DuplicateFile(image=image, path=image.paths[0], keep=place == 0)
                    for place, image in enumerate(pair)
                ]
            )
            for pair in zip(self.images[::2], self.images[1::2], strict=False)
        ]
        return search_pb2.ListDuplicatesResponse(
            kind=request.kind or "altered",
            groups=groups[request.offset : request.offset + request.limit],
            total=len(groups),
        )

    async def ListFolders(  # noqa: N802
        self, request: search_pb2.ListFoldersRequest, context: Context
    ) -> search_pb2.ListFoldersResponse:
        await self._begin("ListFolders", context)
        counts = Counter(folder for image in self.images for folder in _folders_above(image.paths[0]))
        folders = [search_pb2.Folder(path=path, count=counts[path]) for path in sorted(counts)]
        return search_pb2.ListFoldersResponse(folders=folders, total=len(folders))

    async def ListRefused(  # noqa: N802
        self, request: search_pb2.ListRefusedRequest, context: Context
    ) -> search_pb2.ListRefusedResponse:
        await self._begin("ListRefused", context)
        some = self.refused[request.offset :][: request.limit]
        reasons = Counter(file.reason for file in self.refused)
        return search_pb2.ListRefusedResponse(
            refused=some, total=len(self.refused), reasons=reasons, left_out=self.left_out
        )

    async def GetThumbnail(  # noqa: N802
        self, request: search_pb2.GetThumbnailRequest, context: Context
    ) -> AsyncIterator[search_pb2.GetThumbnailResponse]:
        await self._begin("GetThumbnail", context)
        pictures = self.renderings if request.size > 256 else self.thumbnails
        yield search_pb2.GetThumbnailResponse(chunk=await self._content(pictures, request.image_id, context))

    async def GetOriginal(  # noqa: N802
        self, request: search_pb2.GetOriginalRequest, context: Context
    ) -> AsyncIterator[search_pb2.GetOriginalResponse]:
        self.originals.append(request)
        await self._begin("GetOriginal", context)
        content = await self._content(self.files, request.image_id, context)
        record = self._record(request.image_id)
        assert record is not None
        file_name = record.paths[0].rpartition("/")[2]
        file = search_pb2.OriginalFile(
            file_name=file_name, media_type=record.media_type, size_bytes=len(content)
        )
        yield search_pb2.GetOriginalResponse(file=file)
        wanted = content[request.offset :]
        wanted = wanted[: request.length] if request.HasField("length") else wanted
        is_whole = False
        try:
            for start in range(0, len(wanted), self.chunk_bytes):
                yield search_pb2.GetOriginalResponse(chunk=wanted[start : start + self.chunk_bytes])
                await asyncio.sleep(self.stall_s)
                if self.torn:
                    await self._fail(Failure(grpc.StatusCode.NOT_FOUND, "PHOTO_GONE"), context)
            is_whole = True
        finally:  # cancelled, or closed because nobody takes what it sends
            self.cancelled += not is_whole

    async def _content(self, contents: dict[str, bytes], image_id: str, context: Context) -> bytes:
        if self._record(image_id) is None:
            await self._fail(Failure(grpc.StatusCode.NOT_FOUND, "UNKNOWN_IMAGE"), context)
        if image_id not in contents:
            await self._fail(Failure(grpc.StatusCode.NOT_FOUND, "PHOTO_GONE"), context)
        return contents[image_id]

    async def _begin(self, call: str, context: Context) -> None:
        self.calls.append(call)
        self.metadata = dict(context.invocation_metadata())
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None and call in self.failing_calls:
            failure, self.failure = self.failure, None if self.fails_once else self.failure
            await self._fail(failure, context)

    async def _fail(self, failure: Failure, context: Context) -> None:
        if not failure.reason:
            await context.abort(failure.code, failure.message)
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason=failure.reason, domain="imagesearch"))
        status = status_pb2.Status(code=failure.code.value[0], message=failure.message, details=[detail])
        await context.abort_with_status(rpc_status.to_status(status))

    def _record(self, image_id: str) -> search_pb2.ImageRecord | None:
        return next((image for image in self.images if image.image_id == image_id), None)

    def _query_photo(
        self, photo: search_pb2.Photo, negative: bool, with_preview: bool
    ) -> search_pb2.QueryPhoto:
        record = self._record(photo.image_id)
        return search_pb2.QueryPhoto(
            image_id=photo.image_id,
            negative=negative,
            width=record.width if record else 640,
            height=record.height if record else 480,
            damaged=record.damaged if record else self.is_upload_damaged,
            preview=self.preview if with_preview else b"",
        )

    def _hit(self, rank: int, image: search_pb2.ImageRecord) -> search_pb2.Hit:
        hit = search_pb2.Hit(
            image_id=image.image_id,
            path=image.paths[0],
            width=image.width,
            height=image.height,
            distance=rank / 10,
            match=self.match,
            located=self.located,
            damaged=image.damaged,
            also=self.also,
            likeness=self.likeness[min(rank, len(self.likeness)) - 1],
            paths=image.paths,
            taken_at=image.taken_at,
        )
        if self.has_scores:
            hit.score = 1 - rank / 1000
        return hit

    def _summary(self) -> search_pb2.IndexSummary:
        return search_pb2.IndexSummary(
            version=self.version,
            count=len(self.images),
            descriptor="fc6",
            model="vgg16",
            model_title="VGG16 (ImageNet)",
            approximate=self.approximate,
        )


def _folders_above(path: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(path).parents if folder.name]


def record_of(content: bytes, path: str, width: int = 640, height: int = 480) -> search_pb2.ImageRecord:
    """The record of a JPEG with this content."""
    image_id = hashlib.sha256(content).hexdigest()[:32]
    return search_pb2.ImageRecord(
        image_id=image_id,
        paths=[path],
        width=width,
        height=height,
        media_type="image/jpeg",
        size_bytes=len(content),
    )


@asynccontextmanager
async def served(
    service: FakeService, address: str = "127.0.0.1:0", credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[FakeService]:
    """Serves it, SERVING from the start, on a free port unless told otherwise; its `address` says where."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 * 2**20)])
    search_pb2_grpc.add_ImageSearchServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]
    health_pb2_grpc.add_HealthServicer_to_server(service.health, server)
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    service.address = f"127.0.0.1:{port}"
    for name in ("", "imagesearch.v1.ImageSearchService"):
        await service.health.set(name, health_pb2.HealthCheckResponse.SERVING)
    await server.start()
    try:
        yield service
    finally:
        await server.stop(grace=None)
