"""The client of the search service: the only place that knows its protocol."""

from gateway.search_client.client import SearchClient
from gateway.search_client.messages import Answer, FolderPage, IndexedImage, Photo, Query, known_shape
from gateway.search_client.originals import Original

__all__ = [
    "Answer",
    "FolderPage",
    "IndexedImage",
    "Original",
    "Photo",
    "Query",
    "SearchClient",
    "known_shape",
]
