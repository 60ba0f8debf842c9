"""What goes over HTTP: the options of a search and its answer, exactly as they stand in JSON.

What tells of the collection is in `collection_schemas`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Lets a right or lower edge at 1 survive rounding to the six digits of a link.
EDGE_TOLERANCE = 1e-5

MAX_PHOTOS = 8
"""Of one search."""

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Extent = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Region(BaseModel):
    """An axis-parallel rectangle as fractions of the upright image; the origin is the top left corner."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: Fraction
    y: Fraction
    width: Extent
    height: Extent

    @model_validator(mode="after")
    def _lies_inside(self) -> Self:
        if max(self.x + self.width, self.y + self.height) > 1 + EDGE_TOLERANCE:
            raise ValueError("the region reaches outside the image")
        return self


class SearchOptions(BaseModel):
    """The options of a search, the same names in both forms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=100, description="At most this many results.")] = 30
    offset: Annotated[
        int,
        Field(
            ge=0,
            lt=1_000,
            description="Leave out this many of the first results; with `limit` at most 1,000. The next "
            "page's is `next_offset`.",
        ),
    ] = 0
    text: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1_000,
            description="Words that the results match, alone or with photos. Needs a collection with `text`.",
        ),
    ] = None
    region: Annotated[Region | None, Field(description="Search only for this part of the query image.")] = (
        None
    )
    exact: Annotated[
        bool, Field(description="Compare with every image, even where there is an approximate index.")
    ] = False
    expand: Annotated[
        bool,
        Field(
            description="Query expansion: search again with the query averaged with its results; given "
            "`verify`, the verified ones."
        ),
    ] = False
    verify: Annotated[
        bool | None,
        Field(
            description="Spatial verification: the same object or place first, by geometrically consistent "
            "local features. Null: where the collection has `local_features`, which it needs."
        ),
    ] = None
    localize: Annotated[
        bool,
        Field(
            description="Find in each of the first results the part that answers the query best, and re-rank "
            "by it. Needs a collection with `localization`."
        ),
    ] = False
    collapse: Annotated[
        bool,
        Field(
            description="Of results that are one picture (`identical` or `altered` in /duplicates) the first "
            "stands for all; `also` lists the others."
        ),
    ] = False
    points: Annotated[bool, Field(description="With `verify`: return the matched points of each match.")] = (
        False
    )
    max_distance: Annotated[
        float | None, Field(ge=0, allow_inf_nan=False, description="Only results at most this far.")
    ] = None
    min_score: Annotated[
        float | None,
        Field(ge=0, le=1, allow_inf_nan=False, description="Only results of at least this `score`."),
    ] = None
    folder: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4_096,
            description="Only photos under this folder, relative to the indexed one, such as `2019/summer`.",
        ),
    ] = None
    taken_from: Annotated[
        date | None,
        Field(
            description="Only photos taken on this day or later by EXIF; those without a date are left out."
        ),
    ] = None
    taken_to: Annotated[date | None, Field(description="Only photos taken on this day or before.")] = None

    @classmethod
    def switches(cls) -> tuple[str, ...]:
        """The names of the options that are on or off, as in the service's own protocol."""
        return tuple(
            name for name, field in cls.model_fields.items() if field.annotation in (bool, bool | None)
        )


Photos = Annotated[list[str], Field(max_length=MAX_PHOTOS)]


class SearchBody(SearchOptions):
    """The JSON form of a search: one photo, as `image` or as `image_id`, or up to 8 in the four lists, or
    `text`, alone or with them."""

    image: Annotated[
        str | None,
        Field(description="The image file as base64; line breaks and a data: prefix are allowed."),
    ] = None
    image_id: Annotated[str | None, Field(description="The id of an indexed image.")] = None
    images: Annotated[
        Photos, Field(description="Several image files, each as in `image`: the results resemble them.")
    ] = []
    image_ids: Annotated[
        Photos, Field(description="Several ids, each as in `image_id`: the results resemble these images.")
    ] = []
    not_images: Annotated[Photos, Field(description="Image files that the results do not resemble.")] = []
    not_image_ids: Annotated[
        Photos, Field(description="Ids of images that the results do not resemble.")
    ] = []


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
