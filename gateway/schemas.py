"""The answer of a search over HTTP, exactly as it stands in JSON.

What it was asked is in `search_options`, what tells of the collection in `collection_schemas`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from gateway.search_options import Region


class Point(BaseModel):
    """As fractions of the image; the origin is the top left corner."""

    x: float
    y: float


class PointPair(BaseModel):
    """The place of a local feature in the whole query photo, and in the result."""

    query: Point
    result: Point


def _is_none(value: object) -> bool:
    return value is None


class Match(BaseModel):
    """The outcome of spatial verification: where the query was found in the result."""

    inliers: Annotated[int, Field(description="Local features that agree with one transformation.")]
    quadrilateral: Annotated[
        list[Point],
        Field(description="The query's outline, clockwise from its top left corner; may reach outside."),
    ]
    query_photo: Annotated[
        int | None,
        Field(
            exclude_if=_is_none,
            description="Which of several photos was found, by its place in `query_photos`.",
        ),
    ] = None
    points: Annotated[
        list[PointPair] | None,
        Field(exclude_if=_is_none, description="The features that agree; left out unless asked for."),
    ] = None


Damaged = Annotated[
    bool,
    Field(description="Whether a part of the picture is missing or wrong: a tenth of its pixels at most."),
]


class OtherImage(BaseModel):
    """An image that a result stands for."""

    image_id: str
    url: str
    thumbnail_url: str
    path: Annotated[str, Field(description="Relative to the indexed folder.")]


Likeness = Literal["identical", "same", "alike", "related", "weak"]


class Hit(BaseModel):
    image_id: str
    url: str
    thumbnail_url: str
    path: Annotated[str, Field(description="Relative to the indexed folder.")]
    paths: Annotated[list[str], Field(description="All paths of the same bytes, `path` first.")]
    width: int
    height: int
    taken_at: Annotated[
        str | None,
        Field(
            description="When it was taken by the camera's clock, from EXIF: ISO 8601 without a time zone, "
            "such as 2019-07-14T18:03:22. Null where the file does not tell."
        ),
    ]
    distance: Annotated[
        float, Field(description="L2 distance of the L2-normalised descriptors; 0 is identical.")
    ]
    score: Annotated[
        float | None,
        Field(
            description="The share of random image pairs of the collection that lie further apart; for words "
            "alone, of random pairs of words and an image."
        ),
    ]
    match: Annotated[Match | None, Field(description="Set when `verify` found the query in this image.")]
    located: Annotated[
        Region | None,
        Field(description="The part that answers the query best; set by `localize`, where it looked."),
    ]
    damaged: Damaged
    likeness: Annotated[
        Likeness,
        Field(
            description="identical: the same bytes or pixels; same: the same object or place, verified by 8 "
            "inliers or more; alike: nearer than 99.9 % of random pairs of the collection; related: nearer "
            "than 99 %; weak: none of these."
        ),
    ]
    rank_score: Annotated[
        float | None,
        Field(
            description="What the order follows, descending, with `verify` or `localize`. Null where results "
            "ascend by distance."
        ),
    ] = None
    also: Annotated[
        list[OtherImage],
        Field(description="With `collapse` the further results that are the same picture, best first."),
    ] = []

    @property
    def has_located_part(self) -> bool:
        """And not the whole image, which there is nothing to zoom in on."""
        return self.located is not None and self.located.width * self.located.height < 1


class QueryImage(BaseModel):
    """The upright query image, in pixels, and the part that was searched for."""

    width: int
    height: int
    region: Region | None
    damaged: Damaged
    image_id: Annotated[
        str | None,
        Field(description="Of the indexed image that has the very bytes of the uploaded file; else null."),
    ]


class QueryPhoto(BaseModel):
    """One of several photos of a query; width and height of the upright photo, in pixels."""

    image_id: Annotated[str | None, Field(description="Null where the photo came as a file.")]
    negative: bool
    width: int
    height: int
    damaged: Damaged


class IndexSummary(BaseModel):
    """The snapshot that answered."""

    version: str
    count: int
    descriptor: str
    model: str
    model_title: Annotated[
        str, Field(description="The model's name for people; empty where local features describe the photos.")
    ]
    approximate: bool


class Timings(BaseModel):
    """Milliseconds."""

    decode: float
    extract: float
    search: float
    verify: float
    localize: float
    total: float


class SearchResponse(BaseModel):
    """Results ascend by distance, ties by image_id.

    With `verify` or `localize` they descend by c + log2(1 + n / 10): c is the cosine of the distance,
    1 - distance² / 2, or with `localize` that of the located part, and where none was located the distance's
    less 1; n are the inliers of the match, if any.
    """

    query: Annotated[
        QueryImage | None, Field(description="Of several photos the first one; null for words alone.")
    ]
    query_photos: Annotated[
        list[QueryPhoto] | None,
        Field(
            exclude_if=_is_none,
            description="Several photos, in the order of their lists; left out for one.",
        ),
    ] = None
    results: list[Hit]
    next_offset: Annotated[
        int | None,
        Field(
            description="The `offset` of the next page with the same `limit`; null where there is none, or "
            "where both would pass 1,000."
        ),
    ]
    index: IndexSummary
    timings_ms: Timings


class Health(BaseModel):
    status: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
