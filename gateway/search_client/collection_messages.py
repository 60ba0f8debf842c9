"""Between the service's messages and what goes over HTTP, for what tells of the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from gateway import collection_schemas as schemas
from protos.imagesearch.v1 import search_pb2


def index_response(message: search_pb2.GetIndexResponse) -> schemas.IndexResponse:
    summary = message.summary
    return schemas.IndexResponse(
        version=summary.version,
        count=summary.count,
        descriptor=summary.descriptor,
        descriptor_note=message.descriptor_note,
        dimensions=message.dimensions,
        model=summary.model,
        model_title=summary.model_title,
        model_digest=message.model_digest,
        model_note=message.model_note,
        index_kind=message.index_kind,
        index_note=message.index_note,
        index_recall_at_10=message.index_recall_at_10 if message.HasField("index_recall_at_10") else None,
        index_latency_ms=message.index_latency_ms if message.HasField("index_latency_ms") else None,
        approximate=summary.approximate,
        local_features=message.local_features,
        localization=message.localization,
        text=message.text,
        index_precision=message.index_precision,
        query_precision=message.query_precision,
        int8_quality=_int8_quality(message.int8_quality) if message.HasField("int8_quality") else None,
        build_time=_time(message.build_time) if message.HasField("build_time") else None,
        refused_count=message.refused_count,
        refused=_refused(message.refused),
        indexing=_indexing(message.indexing) if message.HasField("indexing") else None,
    )


def _indexing(message: search_pb2.Indexing) -> schemas.Indexing:
    return schemas.Indexing(
        phase=message.phase,
        done=message.done,
        total=message.total,
        per_second=message.per_second,
        started_at=_time(message.started_at),
    )


def _time(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)


def folders_response(message: search_pb2.ListFoldersResponse) -> schemas.FoldersResponse:
    return schemas.FoldersResponse(
        total=message.total,
        folders=[schemas.Folder(path=folder.path, count=folder.count) for folder in message.folders],
    )


def duplicates_response(
    message: search_pb2.ListDuplicatesResponse, offset: int, root_path: str
) -> schemas.DuplicatesResponse:
    """offset: of the request."""
    end = offset + len(message.groups)
    groups = [
        schemas.DuplicateGroup(images=[_duplicate(file, root_path) for file in group.files])
        for group in message.groups
    ]
    return schemas.DuplicatesResponse.model_validate(
        {
            "kind": message.kind,
            "total": message.total,
            "next_offset": end if message.groups and end < message.total else None,
            "groups": groups,
        }
    )


def _duplicate(file: search_pb2.DuplicateFile, root_path: str) -> schemas.DuplicateImage:
    image = file.image
    return schemas.DuplicateImage(
        image_id=image.image_id,
        path=file.path,
        paths=list(image.paths),
        url=f"{root_path}/images/{image.image_id}",
        thumbnail_url=f"{root_path}/thumbnails/{image.image_id}",
        width=image.width,
        height=image.height,
        bytes=image.size_bytes,
        taken_at=image.taken_at or None,
        keep=file.keep,
    )


def refused_response(message: search_pb2.ListRefusedResponse, offset: int) -> schemas.RefusedResponse:
    """offset: of the request."""
    end = offset + len(message.refused)
    return schemas.RefusedResponse(
        total=message.total,
        next_offset=end if message.refused and end < message.total else None,
        reasons=_most_first(message.reasons),
        left_out=_most_first(message.left_out),
        refused=_refused(message.refused),
    )


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _refused(files: Iterable[search_pb2.RefusedFile]) -> list[schemas.RefusedFile]:
    return [schemas.RefusedFile(path=file.path, reason=file.reason, detail=file.detail) for file in files]


def _int8_quality(message: search_pb2.Int8Quality) -> schemas.Int8Quality:
    return schemas.Int8Quality(
        cosine=message.cosine, overlap_at_10=message.overlap_at_10, photos=message.photos
    )
