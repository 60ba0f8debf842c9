"""What tells of the collection over HTTP, exactly as it stands in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class RefusedFile(BaseModel):
    path: Annotated[str, Field(description="Relative to the indexed folder.")]
    reason: str
    detail: str


class Folder(BaseModel):
    path: Annotated[
        str, Field(description="Relative to the indexed folder; what `folder` of a search takes.")
    ]
    count: Annotated[int, Field(description="Photos in it and in the folders below it.")]


class FoldersResponse(BaseModel):
    """The folders of the indexed photos, in order of path: all, or the 10,000 that lie least deep."""

    total: Annotated[int, Field(description="All there are.")]
    folders: list[Folder]


DuplicateKind = Literal["identical", "altered", "similar"]


class DuplicateImage(BaseModel):
    """One file of a group."""

    image_id: str
    path: Annotated[str, Field(description="Relative to the indexed folder.")]
    paths: Annotated[list[str], Field(description="All of the files with its bytes.")]
    url: str
    thumbnail_url: str
    width: int
    height: int
    bytes: int
    taken_at: Annotated[str | None, Field(description="ISO 8601 by the camera's clock; null if unknown.")]
    keep: Annotated[bool, Field(description="Whether this is the one that should stay, if only one should.")]


class DuplicateGroup(BaseModel):
    images: list[DuplicateImage]


class DuplicatesResponse(BaseModel):
    """Groups of near-identical photos, the largest first."""

    kind: DuplicateKind
    total: Annotated[int, Field(description="All groups there are.")]
    next_offset: Annotated[int | None, Field(description="Where the next page begins; null on the last one.")]
    groups: list[DuplicateGroup]


class RefusedResponse(BaseModel):
    """Files that could not be indexed, in order of path."""

    total: Annotated[int, Field(description="All there are.")]
    next_offset: Annotated[int | None, Field(description="Where the next page begins; null on the last one.")]
    reasons: Annotated[dict[str, int], Field(description="How many of all by reason, most first.")]
    left_out: Annotated[
        dict[str, int],
        Field(
            description="What the last look through the folder left out, by kind, most first, such as "
            "`hidden folder`, `video` or `other file`. A folder counts once, whatever is in it."
        ),
    ]
    refused: list[RefusedFile]


class Int8Quality(BaseModel):
    """How near int8 comes to f32, measured on photos of the collection before it was taken."""

    cosine: Annotated[float, Field(description="Of a photo's int8 descriptor to its f32 one; the mean.")]
    overlap_at_10: Annotated[
        float, Field(description="Share of the ten nearest in f32 that int8 finds as well; the mean.")
    ]
    photos: Annotated[int, Field(description="How many it was measured on.")]


class Indexing(BaseModel):
    """A run of the indexer."""

    phase: Annotated[
        str,
        Field(
            description="listing, preparing, describing, detailing, publishing, comparing; more may follow."
        ),
    ]
    done: Annotated[int, Field(description="Photos of this phase.")]
    total: int
    per_second: Annotated[float, Field(description="Photos, since the phase began.")]
    started_at: datetime


class IndexResponse(BaseModel):
    """The live snapshot, and the files that could not be indexed (at most 1,000 of them)."""

    version: Annotated[
        str, Field(description="Empty before the first one is published; `indexing` is all there is then.")
    ]
    count: int
    descriptor: str
    descriptor_note: Annotated[
        str, Field(description="What it could not learn of these photos as asked for; else empty.")
    ]
    dimensions: int
    model: str
    model_title: Annotated[str, Field(description="Its name for people; empty for local features.")]
    model_digest: str
    model_note: Annotated[str, Field(description="Why this model; empty where it was asked for by name.")]
    index_kind: str
    index_note: Annotated[str, Field(description="Why the index is of another kind than asked for.")]
    index_recall_at_10: Annotated[
        float | None,
        Field(description="Share of the true ten nearest found when it was built; null for exact."),
    ]
    index_latency_ms: Annotated[
        float | None, Field(description="Median of one search when it was built; null for exact.")
    ]
    approximate: bool
    local_features: Annotated[bool, Field(description="Whether `verify` is available.")]
    localization: Annotated[bool, Field(description="Whether `localize` is available.")]
    text: Annotated[bool, Field(description="Whether `text` is available.")]
    index_precision: str
    query_precision: str
    int8_quality: Annotated[Int8Quality | None, Field(description="null at another precision.")]
    build_time: Annotated[datetime | None, Field(description="null before the first one is published.")]
    refused_count: int
    refused: list[RefusedFile]
    indexing: Annotated[
        Indexing | None, Field(description="How far the indexer at work is; null where none is.")
    ]
