"""Whether decoding a JPEG at a fraction of its size changes the descriptor, and what it saves.

The photos at hand are small. Larger ones are made of them: side by side, as rich in detail as a photo of that
size, and enlarged, with the grain of a sensor. Each is compared with its own full decode, at every fraction
that leaves two pixels or more for one of the network's, whether `OVERSAMPLING` allows it or not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.photos import LIMITS, MODELS_DIR, photo_files
from benchmarks.report import Table, processor_ms
from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.descriptors.base import Descriptor
from imagesearch.descriptors.embedding import Embedding
from imagesearch.pictures.decode import decode
from imagesearch.pictures.plans import OVERSAMPLING
from imagesearch.pictures.readers.jpeg import DCT_DENOMINATORS

BATCH = 32
TILE_PX = (325, 243)
GRAIN = 6.0
"""Grey levels, standard deviation."""
LEAST_SHOWN = 2.0
"""Pixels for one of the network's."""


def run(full: bool) -> None:
    table = Table(
        "scaled_decoding",
        (
            "photos",
            "count",
            "fraction",
            "pixels for one",
            "allowed",
            "cosine, mean",
            "1st percentile",
            "worst",
        )
        + ("full decode, processor ms", "scaled, processor ms"),
    ).start()
    identity = prepare_model("efficientnet-lite0", MODELS_DIR).identity
    descriptor = Embedding(load_backbone(MODELS_DIR, identity, Precision.F32, threads=0))
    paths = photo_files()
    measure(table, "as they are", [path.read_bytes() for path in paths], descriptor)
    for side in (4, 6, 12):
        files = list(mosaics(paths, side, 100 if full else 20))
        measure(table, f"{side} × {side} side by side", files, descriptor)
    for factor in (5, 6, 12):
        files = list(enlarged(paths[:: len(paths) // (100 if full else 20)], factor))
        measure(table, f"enlarged × {factor}, with grain", files, descriptor)
    table.save()


def measure(table: Table, name: str, files: list[bytes], descriptor: Descriptor) -> None:
    whole, whole_ms = described(files, descriptor, 1)
    for denominator in sorted(DCT_DENOMINATORS):
        for_one = pixels_for_one(files[0], descriptor) / denominator
        if for_one >= LEAST_SHOWN:
            rows, scaled_ms = described(files, descriptor, denominator)
            cosines = np.einsum("nd,nd->n", rows, whole)
            figures = (float(cosines.mean()), float(np.quantile(cosines, 0.01)), float(cosines.min()))
            allowed = "yes" if for_one >= OVERSAMPLING else "no"
            table.add(
                name, len(files), f"1/{denominator}", for_one, allowed,
                *(f"{cosine:.5f}" for cosine in figures), whole_ms, scaled_ms,
            )  # fmt: skip


def described(
    files: list[bytes], descriptor: Descriptor, denominator: int
) -> tuple[NDArray[np.float32], float]:
    """Rows, and the processor time of decoding and preparing one, in milliseconds."""

    def prepared(data: bytes) -> NDArray[np.uint8]:
        image = decode(data, LIMITS, lambda width, height: 1 / denominator)
        return descriptor.input_plan.prepare(image.rgb)

    inputs = [prepared(data) for data in files]
    ms = processor_ms(lambda: prepared(files[0]))
    rows: list[NDArray[np.float32]] = []
    for start in range(0, len(inputs), BATCH):
        rows += descriptor.describe(inputs[start : start + BATCH])
    return np.concatenate(rows), ms


def pixels_for_one(data: bytes, descriptor: Descriptor) -> float:
    """Of the file, in each direction, for one of the network's."""
    with Image.open(io.BytesIO(data)) as image:
        return OVERSAMPLING / descriptor.input_plan.least_scale(*image.size)


def mosaics(paths: list[Path], side: int, count: int) -> Iterator[bytes]:
    rng = np.random.default_rng(side)
    width, height = TILE_PX
    for _ in range(count):
        whole = Image.new("RGB", (width * side, height * side))
        for place, number in enumerate(rng.choice(len(paths), side * side, replace=False)):
            with Image.open(paths[number]) as photo:
                tile = photo.convert("RGB").resize(TILE_PX)
            whole.paste(tile, (place % side * width, place // side * height))
        yield jpeg(whole)


def enlarged(paths: list[Path], factor: int) -> Iterator[bytes]:
    rng = np.random.default_rng(factor)
    for path in paths:
        with Image.open(path) as photo:
            size = (photo.width * factor, photo.height * factor)
            large = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
        grainy = large + rng.normal(0, GRAIN, (*large.shape[:2], 1))
        yield jpeg(Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8)))


def jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
