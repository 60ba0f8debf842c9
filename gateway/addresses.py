"""The links of the page, each of which reproduces a search."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from gateway.search_client import Photo
from gateway.search_options import Region, SearchOptions

DEFAULT_OPTIONS = SearchOptions()


def search_address(image_id: str, options: SearchOptions = DEFAULT_OPTIONS) -> str:
    """The link that searches with one indexed image, from the first result on; options at their default are
    left out."""
    return set_address([Photo(image_id)], afresh(options))


def afresh(options: SearchOptions) -> SearchOptions:
    """The same for another search, which begins with its first results."""
    return options.model_copy(update={"offset": 0})


def set_address(photos: Sequence[Photo], options: SearchOptions, match: str = "") -> str:
    """The link that searches with the indexed ones among the photos; of what was uploaded nothing is kept.

    match: the id of the result whose match is shown.
    """
    indexed = [photo for photo in photos if photo.image_id]
    is_alone = len(photos) == 1
    fields = [(_field(photo, is_alone), photo.image_id) for photo in indexed]
    fields += _option_fields(options.model_copy(update={} if is_alone else {"region": None}))
    if match:
        fields.append(("match", match))
    return f"/?{urlencode(fields, safe=',')}" if fields else "/"


def _field(photo: Photo, is_alone: bool) -> str:
    if photo.is_negative:
        return "not_image_ids"
    return "image_id" if is_alone else "image_ids"


def _option_fields(options: SearchOptions) -> list[tuple[str, str]]:
    """Without those that are as they would be by themselves: verify is on wherever it can be."""
    given = options.model_dump(exclude_defaults=True, exclude={"region"})
    if options.verify:
        del given["verify"]
    fields = [
        (name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in given.items()
    ]
    if options.region is not None:
        fields.append(("region", region_text(options.region)))
    return fields


def region_text(region: Region) -> str:
    return ",".join(f"{value:.6g}" for value in (region.x, region.y, region.width, region.height))
