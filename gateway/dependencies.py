"""What routes are given: the parts of the application, built once in its lifespan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from gateway.known import KnownIndex, KnownThumbnails
from gateway.metrics import Metrics
from gateway.search_client import SearchClient
from gateway.searcher import Searcher
from gateway.settings import Settings
from gateway.views import Views


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one application."""

    settings: Settings
    client: SearchClient
    searcher: Searcher
    known_index: KnownIndex
    known_thumbnails: KnownThumbnails
    metrics: Metrics
    views: Views


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
