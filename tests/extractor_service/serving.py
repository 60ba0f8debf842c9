"""Real stores and real services, small and quick, for the tests of this room."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status
from numpy.typing import NDArray
from PIL import Image

from extractor_service.live.query_model import LoadBackbone
from extractor_service.settings import ExtractorSettings
from extractor_service.transport.server import ExtractorServer
from imagesearch.backbones.base import Backbone, ModelIdentity, Precision
from imagesearch.conv_maps import MapDescriber
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.local_features import RootSift
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.prepare import decode_file
from imagesearch.store.content import SnapshotContent
from imagesearch.store.layout import StoreLayout, image_id_of
from imagesearch.store.manifest import Manifest
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord, RefusedFile
from indexer.new_snapshot import publish
from protos.imagesearch.v1 import search_pb2_grpc
from tests.fakes import FakeBackbone

LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=10_000_000)


def photo(seed: int, width: int = 64, height: int = 48) -> bytes:
    """A PNG of 4 × 4 random colours: each seed gives another descriptor."""
    colours = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = Image.fromarray(colours).resize((width, height), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def textured(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """A picture with corners and blobs at many places and sizes."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (height // cell, width // cell, 3), dtype=np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for cell in (4, 8)
    ]
    return Image.blend(layers[0], layers[1], 0.5)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Folder:
    """A folder of photos and the store it is indexed into."""

    images_dir: Path
    store_dir: Path

    @classmethod
    def at(cls, path: Path, seeds: Sequence[int] = ()) -> Folder:
        folder = cls(path / "images", path / "store")
        folder.images_dir.mkdir()
        folder.store_dir.mkdir()
        for seed in seeds:
            folder.add(f"{seed:03d}.png", photo(seed))
        return folder

    @property
    def layout(self) -> StoreLayout:
        return StoreLayout(self.store_dir)

    def add(self, name: str, content: bytes) -> None:
        path = self.images_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def publish(
        self,
        backbone: Backbone | None = None,
        refused: Sequence[RefusedFile] = (),
        note: str = "",
        local_features: bool = False,
        localization: bool = False,
    ) -> Manifest:
        """Indexes whatever the folder holds now."""
        backbone = backbone or FakeBackbone()
        descriptor = create_descriptor("fc6", backbone)
        rows: dict[str, tuple[ImageRecord, NDArray[np.float16]]] = {}
        blobs: dict[str, bytes] = {}
        describer = MapDescriber(backbone)
        maps: dict[str, bytes] = {}
        for path in sorted(self.images_dir.rglob("*.png")):
            extractor = RootSift.to_verify(upright=False) if local_features else None
            picture = decode_file(path, LIMITS, descriptor.input_plan, extractor, describer.input_plan)
            image_id = image_id_of(picture.sha256)
            assert picture.map_input is not None
            [maps[image_id]] = describer.describe([picture.map_input])
            blobs[image_id] = picture.local_features or b""
            known = rows[image_id][0].paths if image_id in rows else ()
            record = ImageRecord(
                image_id,
                (*known, path.relative_to(self.images_dir).as_posix()),
                picture.width,
                picture.height,
                picture.media_type,
                picture.size_bytes,
                picture.damaged,
                picture.taken_at,
            )
            rows[image_id] = record, descriptor.describe([picture.network_input])[0][0].astype(np.float16)
            thumbnail = self.layout.thumbnail_path(image_id)
            thumbnail.parent.mkdir(parents=True, exist_ok=True)
            thumbnail.write_bytes(picture.thumbnail)
        recipe = Recipe(
            "fc6", descriptor.dim, backbone.identity, backbone.precision, local_features, localization
        )
        images = [rows[image_id] for image_id in sorted(rows)]
        features = [blobs[image_id] for image_id in sorted(rows)]
        content = SnapshotContent(
            recipe,
            note,
            len(images),
            images,
            refused,
            local_features=features,
            conv_maps=[maps[image_id] for image_id in sorted(rows)],
        )
        return publish(self.layout, content)

    def id_of(self, name: str) -> str:
        return image_id_of(hashlib.sha256((self.images_dir / name).read_bytes()).hexdigest())


def load_fake(identity: ModelIdentity, precision: Precision) -> Backbone:
    return FakeBackbone()


def settings_for(folder: Folder, **changes: Any) -> ExtractorSettings:
    values: dict[str, Any] = {
        "port": 0,
        "store_dir": folder.store_dir,
        "images_dir": folder.images_dir,
        "threads": 1,
        "decode_workers": 1,
        "drain_timeout_s": 30.0,
    }
    return ExtractorSettings(**(values | changes))


@dataclass(frozen=True)
class Running:
    """A service on a free port and a client of it."""

    server: ExtractorServer
    channel: grpc.aio.Channel
    stub: search_pb2_grpc.ImageSearchServiceStub


@asynccontextmanager
async def running(
    settings: ExtractorSettings, load_backbone: LoadBackbone = load_fake, ready: bool = True
) -> AsyncIterator[Running]:
    server = ExtractorServer(settings, load_backbone)
    try:
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = search_pb2_grpc.ImageSearchServiceStub(channel)  # type: ignore[no-untyped-call]
            service = Running(server, channel, stub)
            if ready:
                await server.ready()
            yield service
    finally:
        await server.close()


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason of the google.rpc.ErrorInfo that every failure of the service carries."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    assert info.domain == "imagesearch"
    return str(info.reason)


def details_of(error: grpc.aio.AioRpcError) -> str:
    """The sentence for a person."""
    details = error.details()
    assert details is not None
    return details


class GatedBackbone(FakeBackbone):
    """Works while its gate is open and counts what went through it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        """Set when a run has begun, clear it to wait for the next."""
        self.runs: list[int] = []
        """Images of each run, in order; the first is the known picture of the service's own check."""

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.runs.append(len(images))
        self.entered.set()
        assert self.gate.wait(timeout=60)
        return super().embed(images)

    def load(self, identity: ModelIdentity, precision: Precision) -> Backbone:
        return self


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)
