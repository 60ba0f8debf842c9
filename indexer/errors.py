"""What can go wrong in the indexer beyond the domain's errors."""

from __future__ import annotations

from extractor_service.errors import ImageSearchError


class ImagesFolderError(ImageSearchError):
    """The images folder is missing or unreadable, or indexing it would leave nothing to search."""

    reason = "UNUSABLE_IMAGES_FOLDER"
