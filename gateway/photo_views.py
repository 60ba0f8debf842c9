"""A photo as the page shows it, uploaded or indexed."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from gateway.known import ThumbnailSize
from gateway.media_types import is_shown
from gateway.schemas import QueryImage, QueryPhoto
from gateway.search_client import IndexedImage


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo as the page shows it large. `image_id` and `original_url` are empty where it was uploaded."""

    source: str
    alt: str
    width: int = 0
    height: int = 0
    image_id: str = ""
    original_url: str = ""
    is_negative: bool = False
    is_damaged: bool = False

    @property
    def ratio(self) -> float:
        """Width by height."""
        return max(self.width, 1) / max(self.height, 1)

    @property
    def small_source(self) -> str:
        return f"/thumbnails/{self.image_id}" if self.image_id else self.source


def uploaded_photo(preview: bytes, seen: QueryImage | QueryPhoto, alt: str) -> PhotoView:
    """The preview the service made, inside the page: an upload is kept nowhere."""
    picture = base64.b64encode(preview).decode("ascii")
    return PhotoView(
        f"data:image/webp;base64,{picture}", alt, seen.width, seen.height, is_damaged=seen.damaged
    )


def indexed_photo(image: IndexedImage) -> PhotoView:
    """The original, or a picture of it where browsers do not show that or it is larger than a screen."""
    original_url = f"/images/{image.image_id}"
    is_small = max(image.width, image.height) <= ThumbnailSize.LARGE
    rendering = f"/thumbnails/{image.image_id}?size={ThumbnailSize.LARGE}"
    return PhotoView(
        source=original_url if is_shown(image.media_type) and is_small else rendering,
        alt=image.paths[0],
        width=image.width,
        height=image.height,
        image_id=image.image_id,
        original_url=original_url,
        is_damaged=image.damaged,
    )
