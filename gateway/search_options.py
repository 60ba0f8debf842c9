"""What a search asks for over HTTP: its options, the same names in form, link and JSON, and the JSON form."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Lets a right or lower edge at 1 survive rounding to the six digits of a link.
EDGE_TOLERANCE = 1e-5

MAX_PHOTOS = 8
"""Of one search."""

Corner = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Extent = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Region(BaseModel):
    """An axis-parallel rectangle as fractions of the upright image; the origin is the top left corner."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: Corner
    y: Corner
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
    sort: Annotated[
        Literal["likeness", "date"],
        Field(description="`date`: these results, the latest first, those without a date last."),
    ] = "likeness"
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
