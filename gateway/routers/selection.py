"""Files of the photos that were selected on the page."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from gateway.dependencies import ServicesDep
from gateway.selection import MAX_SELECTED, table, zipped

router = APIRouter(include_in_schema=False)

Selected = Annotated[list[str], Query(min_length=1, max_length=MAX_SELECTED)]


@router.get("/selection.zip", name="selection_zip")
async def selection_zip(image_ids: Selected, services: ServicesDep) -> Response:
    images = await asyncio.gather(*map(services.client.get_image, dict.fromkeys(image_ids)))
    return StreamingResponse(
        zipped(services.client, images), media_type="application/zip", headers=_saved_as("photos.zip")
    )


@router.get("/selection.csv", name="selection_csv")
async def selection_csv(image_ids: Selected, services: ServicesDep) -> Response:
    images = await asyncio.gather(*map(services.client.get_image, dict.fromkeys(image_ids)))
    return Response(table(images), media_type="text/csv", headers=_saved_as("photos.csv"))


def _saved_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
