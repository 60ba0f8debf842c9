"""The client of the search service: the only place that knows its protocol."""

from gateway.search_client.client import SearchClient
from gateway.search_client.messages import Answer, IndexedImage, Photo, Query

__all__ = ["Answer", "IndexedImage", "Photo", "Query", "SearchClient"]
