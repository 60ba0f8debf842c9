"""The format on disk, read and written in one place; `docs/store-format.md` describes it."""

from imagesearch.store.layout import StoreLayout, image_id_of
from imagesearch.store.manifest import Manifest
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord, RefusedFile
from imagesearch.store.snapshot import Snapshot, current_version

__all__ = [
    "ImageRecord",
    "Manifest",
    "Recipe",
    "RefusedFile",
    "Snapshot",
    "StoreLayout",
    "current_version",
    "image_id_of",
]
