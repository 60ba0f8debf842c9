from __future__ import annotations

import asyncio

from gateway.known import KnownThumbnails
from gateway.search_client import SearchClient
from gateway.settings import Settings
from tests.gateway.fake_service import FakeService


async def test_the_longest_unused_are_forgotten_first(service: FakeService, settings: Settings) -> None:
    client = SearchClient.connect(settings)
    a, b, c = [image.image_id for image in service.images[:3]]
    size = len(service.thumbnails[a])
    known = KnownThumbnails(client, max_bytes=2 * size)
    for image_id in (a, b, a, c):  # c takes the place of b
        await known.of(image_id)
    service.calls.clear()
    for image_id in (c, a):
        assert await known.of(image_id) == service.thumbnails[image_id]
    assert service.calls == []
    await known.of(b)
    assert service.calls == ["GetThumbnail"]
    await client.close()


async def test_one_asked_for_twice_at_once_counts_once(service: FakeService, settings: Settings) -> None:
    client = SearchClient.connect(settings)
    a, b = [image.image_id for image in service.images[:2]]
    known = KnownThumbnails(client, max_bytes=2 * len(service.thumbnails[a]))
    await asyncio.gather(known.of(a), known.of(a))
    await known.of(b)
    service.calls.clear()
    await asyncio.gather(known.of(a), known.of(b))
    assert service.calls == []
    await client.close()


async def test_one_that_is_larger_than_all_room_is_still_answered(
    service: FakeService, settings: Settings
) -> None:
    client = SearchClient.connect(settings)
    image_id = service.images[0].image_id
    known = KnownThumbnails(client, max_bytes=1)
    assert [await known.of(image_id) for _ in range(2)] == [service.thumbnails[image_id]] * 2
    await client.close()
