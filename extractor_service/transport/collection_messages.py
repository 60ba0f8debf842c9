"""Between the collection's values and protocol messages: what is indexed, and its pictures."""

from __future__ import annotations

from datetime import datetime

from extractor_service.search.collection import Folders, IndexDescription, RefusedPage
from extractor_service.search.duplicates import GroupPage
from imagesearch.backbones.base import Int8Quality
from imagesearch.store.duplicate_groups import Group
from imagesearch.store.indexing import Indexing
from imagesearch.store.manifest import IndexSummary
from imagesearch.store.originals import Original
from imagesearch.store.records import ImageRecord, RefusedFile
from protos.imagesearch.v1 import search_pb2


def from_record(record: ImageRecord) -> search_pb2.ImageRecord:
    return search_pb2.ImageRecord(
        image_id=record.image_id,
        paths=record.paths,
        width=record.width,
        height=record.height,
        media_type=record.media_type,
        size_bytes=record.size_bytes,
        damaged=record.damaged,
        taken_at=record.taken_at,
    )


def from_original(original: Original) -> search_pb2.GetOriginalResponse:
    """The first message of an original."""
    record = original.record
    return search_pb2.GetOriginalResponse(
        file=search_pb2.OriginalFile(
            file_name=original.name, media_type=record.media_type, size_bytes=record.size_bytes
        )
    )


def to_span(request: search_pb2.GetOriginalRequest, original: Original) -> range:
    """The wanted bytes that the file has."""
    size = original.record.size_bytes
    start, end, _ = slice(request.offset, None).indices(size)
    return range(start, min(start + request.length, end) if request.HasField("length") else end)


def from_indexing(indexing: Indexing) -> search_pb2.Indexing:
    message = search_pb2.Indexing(
        phase=indexing.phase, done=indexing.done, total=indexing.total, per_second=indexing.per_second
    )
    message.started_at.FromDatetime(datetime.fromisoformat(indexing.started_at))
    return message


def from_index(description: IndexDescription, indexing: Indexing | None) -> search_pb2.GetIndexResponse:
    manifest = description.manifest
    response = search_pb2.GetIndexResponse(
        summary=from_summary(description.summary),
        dimensions=manifest.dim,
        model_digest=manifest.model.digest,
        model_note=manifest.model_note,
        index_precision=manifest.precision.value,
        query_precision=description.query_precision.value,
        index_kind=manifest.index.kind,
        index_note=manifest.index.note,
        descriptor_note=manifest.encoding_note,
        index_recall_at_10=manifest.index.recall_at_10,
        index_latency_ms=manifest.index.latency_ms,
        local_features=manifest.local_features,
        localization=manifest.localization,
        text=description.knows_words,
        int8_quality=_int8_quality(manifest.int8_quality),
        refused=[_refused(file) for file in description.refused],
        refused_count=manifest.refused_count,
        indexing=from_indexing(indexing) if indexing else None,
    )
    response.build_time.FromDatetime(datetime.fromisoformat(manifest.created))
    return response


def from_folders(folders: Folders) -> search_pb2.ListFoldersResponse:
    counts = folders.counts.items()
    return search_pb2.ListFoldersResponse(
        folders=[search_pb2.Folder(path=path, count=count) for path, count in counts], total=folders.total
    )


def from_duplicates(page: GroupPage) -> search_pb2.ListDuplicatesResponse:
    return search_pb2.ListDuplicatesResponse(
        kind=page.kind, groups=[_group(group) for group in page.groups], total=page.total
    )


def _group(group: Group) -> search_pb2.DuplicateGroup:
    return search_pb2.DuplicateGroup(
        files=[
            search_pb2.DuplicateFile(image=from_record(file.record), path=file.path, keep=file.keep)
            for file in group
        ]
    )


def from_refused(page: RefusedPage) -> search_pb2.ListRefusedResponse:
    return search_pb2.ListRefusedResponse(
        refused=[_refused(file) for file in page.files],
        total=page.total,
        reasons=page.reasons,
        left_out=page.left_out,
    )


def from_summary(summary: IndexSummary) -> search_pb2.IndexSummary:
    return search_pb2.IndexSummary(
        version=summary.version,
        count=summary.count,
        descriptor=summary.descriptor,
        model=summary.model,
        model_title=summary.model_title,
        approximate=summary.approximate,
    )


def _int8_quality(quality: Int8Quality | None) -> search_pb2.Int8Quality | None:
    if quality is None:
        return None
    return search_pb2.Int8Quality(
        cosine=quality.cosine, overlap_at_10=quality.overlap_at_10, photos=quality.photos
    )


def _refused(file: RefusedFile) -> search_pb2.RefusedFile:
    return search_pb2.RefusedFile(path=file.path, reason=file.reason, detail=file.detail)
