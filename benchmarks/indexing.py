"""Indexing photos end to end, beside what the network alone could take in batches."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.networks import random_vgg16
from benchmarks.photos import MODELS_DIR, photo_files
from benchmarks.report import Table, median_ms
from benchmarks.services import index
from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import prepare_model

BATCH = 32


def run(full: bool) -> None:
    table = Table(
        "indexing",
        ("network", "photos", "seconds", "photos a second", "network alone, a second", "share of it"),
    ).start()
    photos = [path for path in photo_files() if path.parent.name == "holidays"] or photo_files()
    with tempfile.TemporaryDirectory(dir="var") as directory:
        images_dir = Path(directory) / "images"
        images_dir.mkdir()
        for path in photos:
            (images_dir / path.name).write_bytes(path.read_bytes())
        for name, model in (
            ("lite0", "efficientnet-lite0"),
            ("vgg16", str(random_vgg16().resolve())),
        ):
            measure(table, Path(directory) / name, images_dir, name, model, len(photos))
    table.save()


def measure(table: Table, store_dir: Path, images_dir: Path, name: str, model: str, count: int) -> None:
    """The model is converted before; what a second, idle run takes is not the photos' and is taken off."""
    prepare_model(model, store_dir / "models")
    first_s = index(images_dir, store_dir, model)
    idle_s = index(images_dir, store_dir, model)
    rate = count / (first_s - idle_s)
    alone = batched_rate(model)
    table.add(name, count, first_s, rate, alone, rate / alone)
    table.add(f"{name}, nothing changed", count, idle_s, count / idle_s, alone, float("nan"))


def batched_rate(model: str) -> float:
    """Photos a second of the network alone, in the precision the indexer takes."""
    backbone = load_backbone(MODELS_DIR, prepare_model(model, MODELS_DIR).identity, Precision.AUTO, threads=0)
    size = backbone.card.input.size_px
    images = np.random.default_rng(0).integers(256, size=(BATCH, size, size, 3), dtype=np.uint8)
    return BATCH * 1e3 / median_ms(lambda: backbone.embed(images), repeats=10)
