"""Describing photos: Keras' `predict`, OpenVINO alone, and the service's own way, in one run."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.networks import random_vgg16
from benchmarks.report import Table, median_ms
from benchmarks.seed_way import keras_extractor
from extractor_service.live.batching import Batcher
from imagesearch.backbones import Backbone, ModelIdentity, Precision, load_backbone
from imagesearch.backbones.converted import list_int8
from imagesearch.backbones.making import prepare_model
from imagesearch.backbones.making.quantisation import quantise
from imagesearch.descriptors.embedding import Embedding

MODELS_DIR = Path("var/benchmarks/models")
BATCH = 32


def run(full: bool) -> None:
    table = Table(
        "extract",
        ("network", "way", "precision", "batch", "ms a photo", "photos a second", "times faster than Keras")
        + ("share of OpenVINO alone",),
    ).start()
    weights = random_vgg16()
    photo = Image.fromarray(noise((480, 640)))
    seed_extract = keras_extractor(weights)
    keras_ms = median_ms(lambda: seed_extract(photo), repeats=10)
    table.add("vgg16", "Keras predict", "f32", 1, keras_ms, 1e3 / keras_ms, 1.0, "")
    for name, source in (("vgg16", str(weights)), ("lite0", "efficientnet-lite0")):
        identity = prepare_model(source, MODELS_DIR).identity
        for precision in (Precision.F32, Precision.BF16, Precision.INT8):
            wanted = int8_form(identity) if precision is Precision.INT8 else identity
            measure(table, name, load_backbone(MODELS_DIR, wanted, precision, threads=0), keras_ms)
    table.save()


def int8_form(identity: ModelIdentity) -> ModelIdentity:
    """For its speed alone: calibrated on noise, and taken whatever it finds."""
    for model in list_int8(MODELS_DIR, identity):
        return model.identity
    size = load_backbone(MODELS_DIR, identity, Precision.F32, threads=0).card.input.size_px
    calibration = np.stack([noise((size, size))] * 4)
    return quantise(MODELS_DIR, identity, calibration, lambda _: np.eye(20, dtype=np.float32), 0).identity


def measure(table: Table, name: str, backbone: Backbone, keras_ms: float) -> None:
    """The raw runtime and the service's descriptor, one photo and a batch, then the busy service."""
    size = backbone.card.input.size_px
    pictures = [noise((size, size)) for _ in range(BATCH)]
    stacked = np.stack(pictures)
    descriptor = Embedding(backbone)
    ways = (
        ("OpenVINO alone", 1, lambda: backbone.embed(stacked[:1])),
        ("OpenVINO alone", BATCH, lambda: backbone.embed(stacked)),
        ("descriptor", 1, lambda: descriptor.describe(pictures[:1])),
        ("descriptor", BATCH, lambda: descriptor.describe(pictures)),
    )
    alone_ms: dict[int, float] = {}
    for way, batch, call in ways:
        ms = median_ms(call, repeats=20 if batch == 1 else 5) / batch
        share = alone_ms.setdefault(batch, ms) / ms
        table.add(name, way, backbone.precision.value, batch, ms, 1e3 / ms, keras_ms / ms, share)
    ms = asyncio.run(busy_batcher_ms(Batcher(descriptor.describe, max_batch=BATCH), pictures))
    share = alone_ms[BATCH] / ms
    table.add(
        name, "service, 32 at once", backbone.precision.value, BATCH, ms, 1e3 / ms, keras_ms / ms, share
    )


async def busy_batcher_ms(batcher: Batcher, pictures: list[NDArray[np.uint8]], rounds: int = 6) -> float:
    """Milliseconds a photo with as many requests under way as there are pictures."""

    async def client(picture: NDArray[np.uint8]) -> None:
        for _ in range(rounds):
            await batcher.describe(picture)

    await asyncio.gather(*(batcher.describe(picture) for picture in pictures))
    start = time.perf_counter()
    await asyncio.gather(*(client(picture) for picture in pictures))
    elapsed_s = time.perf_counter() - start
    batcher.close()
    return elapsed_s * 1e3 / (rounds * len(pictures))


def noise(size: tuple[int, int]) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(*size, 3), dtype=np.uint8)
