"""A photo as a tile of a gallery: how wide it is for its height, and which thumbnail a screen needs."""

from __future__ import annotations

from markupsafe import Markup

from gateway.known import ThumbnailSize

# Width by height: the gallery's classes are in these steps, within what a row can hold.
RATIO_STEP, MIN_RATIO, MAX_RATIO = 0.05, 0.55, 2.6


def ratio_class(width: int, height: int) -> str:
    """The class of the nearest width-to-height ratio, such as "ratio-135" for 4:3.

    With "whole" for a photo that would be cut to a strip.
    """
    exact, ratio = width / max(height, 1), _tile_ratio(width, height)
    name = f"ratio-{round(round(ratio / RATIO_STEP) * RATIO_STEP * 100)}"
    return name if MIN_RATIO <= exact <= MAX_RATIO else f"{name} whole"


def thumbnail_sources(url: str, width: int, height: int) -> Markup:
    """The attributes by which a browser takes the larger thumbnail where the screen is dense enough for it.

    Empty for a photo that is no larger than a small one. url: of the small one. How wide a tile is on the
    screen follows from `--row` in page.css and screens.css; rows grow a little beyond it.
    """
    long_side = max(width, height)
    if long_side <= ThumbnailSize.SMALL:
        return Markup("")
    small, large = (
        max(1, width * min(size, long_side) // long_side)
        for size in (ThumbnailSize.SMALL, ThumbnailSize.MEDIUM)
    )
    ratio = _tile_ratio(width, height)
    return Markup(
        'srcset="{0} {1}w, {0}?size={2:d} {3}w" '
        'sizes="(max-width: 40rem) {4:.0f}vw, calc({5:.2f} * clamp(10rem, 5rem + 4.5vw, 14.5rem))"'
    ).format(url, small, ThumbnailSize.MEDIUM, large, 31 * ratio, ratio)


def _tile_ratio(width: int, height: int) -> float:
    return min(max(width / max(height, 1), MIN_RATIO), MAX_RATIO)
