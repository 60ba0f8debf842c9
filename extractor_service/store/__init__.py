"""The format on disk, read and written in one place; `docs/store-format.md` describes it."""

from extractor_service.store.layout import StoreLayout, image_id_of
from extractor_service.store.manifest import Manifest
from extractor_service.store.recipe import Recipe
from extractor_service.store.records import ImageRecord, RefusedFile
from extractor_service.store.snapshot import Snapshot, current_version

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
