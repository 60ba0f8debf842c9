"""The service as the protocol describes it: convert, call, convert."""

# ruff: noqa: N802  # the protocol names the methods

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from extractor_service.search.collection import Collection, Page
from extractor_service.search.duplicates import DuplicateLists
from extractor_service.search.engine import Engine
from extractor_service.search.pictures import Pictures
from extractor_service.transport import collection_messages, messages
from extractor_service.transport.observed import count_stages
from imagesearch.errors import IndexNotReady, InvalidOption
from imagesearch.pictures.renderings import THUMBNAIL_LONG_SIDE_PX
from protos.imagesearch.v1 import search_pb2, search_pb2_grpc

DEFAULT_PAGE_SIZE = 100
DEFAULT_GROUPS = 30


class ImageSearchServicer(search_pb2_grpc.ImageSearchServiceServicer):
    """Raises the domain's errors; `error_status.StatusInterceptor` turns them into status codes."""

    def __init__(
        self, engine: Engine, collection: Collection, duplicates: DuplicateLists, pictures: Pictures
    ) -> None:
        self._engine = engine
        self._collection = collection
        self._duplicates = duplicates
        self._pictures = pictures

    async def Search(self, request: search_pb2.SearchRequest, context: Any) -> search_pb2.SearchResponse:
        answer = await self._engine.search(messages.to_query(request), messages.to_options(request))
        count_stages(answer.timings)
        return messages.from_search(answer, request.points)

    async def Extract(self, request: search_pb2.ExtractRequest, context: Any) -> search_pb2.ExtractResponse:
        query = messages.to_file_query(request.image)
        answer = await self._engine.extract(query, messages.to_region(request))
        count_stages(answer.timings)
        return messages.from_extract(answer)

    async def GetImage(
        self, request: search_pb2.GetImageRequest, context: Any
    ) -> search_pb2.GetImageResponse:
        record = await self._collection.image(request.image_id)
        return search_pb2.GetImageResponse(image=collection_messages.from_record(record))

    async def GetIndex(
        self, request: search_pb2.GetIndexRequest, context: Any
    ) -> search_pb2.GetIndexResponse:
        indexing = await self._collection.indexing()
        try:
            return collection_messages.from_index(await self._collection.description(), indexing)
        except IndexNotReady:
            if indexing is None:
                raise
            return search_pb2.GetIndexResponse(indexing=collection_messages.from_indexing(indexing))

    async def ListImages(
        self, request: search_pb2.ListImagesRequest, context: Any
    ) -> search_pb2.ListImagesResponse:
        size = request.page_size or DEFAULT_PAGE_SIZE
        if request.sample:
            if request.page_token or request.folder:
                raise InvalidOption("A sample has no pages and no folder; leave page token and folder out.")
            images, next_token = await self._collection.sample(size, request.seed), ""
        else:
            page = await self._page(request, size)
            images, next_token = page.images, page.next_token
        records = [collection_messages.from_record(record) for record in images]
        return search_pb2.ListImagesResponse(images=records, next_page_token=next_token)

    async def _page(self, request: search_pb2.ListImagesRequest, size: int) -> Page:
        if request.folder:
            return await self._collection.folder_page(request.folder, size, request.page_token)
        return await self._collection.page(size, request.page_token)

    async def ListFolders(
        self, request: search_pb2.ListFoldersRequest, context: Any
    ) -> search_pb2.ListFoldersResponse:
        return collection_messages.from_folders(await self._collection.folders())

    async def ListRefused(
        self, request: search_pb2.ListRefusedRequest, context: Any
    ) -> search_pb2.ListRefusedResponse:
        limit = request.limit or DEFAULT_PAGE_SIZE
        return collection_messages.from_refused(await self._collection.refused(limit, request.offset))

    async def ListDuplicates(
        self, request: search_pb2.ListDuplicatesRequest, context: Any
    ) -> search_pb2.ListDuplicatesResponse:
        limit = request.limit or DEFAULT_GROUPS
        return collection_messages.from_duplicates(
            await self._duplicates.page(request.kind, limit, request.offset)
        )

    async def GetThumbnail(
        self, request: search_pb2.GetThumbnailRequest, context: Any
    ) -> AsyncIterator[search_pb2.GetThumbnailResponse]:
        if request.size in (0, THUMBNAIL_LONG_SIDE_PX):
            picture = await self._pictures.thumbnail(request.image_id)
        else:
            picture = await self._pictures.rendering(request.image_id, request.size)
        yield search_pb2.GetThumbnailResponse(chunk=picture)

    async def GetOriginal(
        self, request: search_pb2.GetOriginalRequest, context: Any
    ) -> AsyncIterator[search_pb2.GetOriginalResponse]:
        original = await self._pictures.original(request.image_id)
        yield collection_messages.from_original(original)
        async for chunk in self._pictures.read(original, collection_messages.to_span(request, original)):
            yield search_pb2.GetOriginalResponse(chunk=chunk)
