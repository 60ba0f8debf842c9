"""Looking without searching: one photo with all that is known of it, and the photos of a folder."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from gateway.dependencies import ServicesDep
from gateway.photo_views import indexed_photo

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

FOLDER_PAGE = 100


@router.get("/photo/{image_id}", name="photo")
async def photo(request: Request, image_id: str, services: ServicesDep) -> HTMLResponse:
    """One photo, which the page shows over its results."""
    image = await services.client.get_image(image_id)
    return services.views.render(request, "photo.html", {"image": image, "photo": indexed_photo(image)})


@router.get("/folder", name="folder")
async def folder(
    request: Request,
    services: ServicesDep,
    folder: Annotated[str, Query(min_length=1, max_length=4_096)],
    after: Annotated[str, Query(max_length=4_096, description="The token of the page before.")] = "",
) -> HTMLResponse:
    """The photos of a folder and of those below it, in order of path."""
    found = await services.client.folder_images(folder, FOLDER_PAGE, after)
    return services.views.render(request, "folder.html", {"folder": folder, "found": found})
