"""Convolutional maps kept with a collection: where in a picture is what, for finding an object's place."""

from __future__ import annotations

from imagesearch.conv_maps.describer import MacDescriber, MapDescriber

__all__ = ["MacDescriber", "MapDescriber"]
