"""Indexing end to end, beside the decoder's limit, the network's limit and the sum of the parts alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.large_photos import MEGAPIXELS_12, MEGAPIXELS_50, write_photos
from benchmarks.networks import random_vgg16
from benchmarks.photos import LIMITS, photo_files
from benchmarks.report import Table, median_ms, processor_ms
from benchmarks.services import Indexing, index
from imagesearch.backbones import Backbone, Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.bounded import bounded
from imagesearch.host.cpus import available_cpus
from imagesearch.local_features import RootSift
from imagesearch.pictures.decode import decode
from imagesearch.pictures.plans import InputPlan, plan_for
from imagesearch.pictures.prepare import decode_file
from imagesearch.pictures.renderings import PREVIEW_LONG_SIDE_PX

BATCH = 32
COUNTS = {"12 MP": (200, MEGAPIXELS_12), "50 MP": (40, MEGAPIXELS_50)}
PARTS_OF = 8
"""Photos that the parts are timed with."""


def run(full: bool) -> None:
    table = Table(
        "indexing",
        ("network", "photos", "what", "seconds", "photos a second", "limit, a second", "share of it")
        + ("memory, MB",),
    ).start()
    parts = Table("indexing_parts", ("photos", "part", "processor ms a photo")).start()
    with tempfile.TemporaryDirectory(dir="var") as directory:
        root = Path(directory)
        for name, (count, size) in COUNTS.items():
            write_photos(root / name, count, size)
            measure_large(table, parts, root / name, root / f"{name} store")
        measure_small(table, root)
    table.save()
    parts.save()


def measure_large(table: Table, parts: Table, images_dir: Path, store_dir: Path) -> None:
    """Photos whose decoding takes the most of the time."""
    backbone = network("efficientnet-lite0", store_dir / "models")
    plan, name, files = plan_for(backbone.card.input), images_dir.name, sorted(images_dir.iterdir())
    decoding = decoding_rate(plan, files)
    table.add("lite0", name, "decoding alone", len(files) / decoding, decoding, decoding, 1.0, "")
    costs_ms = parts_ms(backbone, plan, files[:PARTS_OF])
    for part, cost_ms in costs_ms.items():
        parts.add(name, part, cost_ms)
    run = index(images_dir, store_dir, "efficientnet-lite0")
    described_s, detailed_s = run.phases_s["describing"], run.phases_s["detailing"]
    add(table, "lite0", name, "searchable", len(files), described_s, decoding, run)
    limit = available_cpus() * 1e3 / sum(costs_ms.values())
    add(table, "lite0", name, "and verifiable", len(files), described_s + detailed_s, limit, run)
    add(table, "lite0", name, "and compared", len(files), run.seconds, float("nan"), run)


def measure_small(table: Table, root: Path) -> None:
    """The evaluation photos as they are: what takes the most is the network."""
    (root / "small").mkdir()
    photos = [path for path in photo_files() if path.parent.name == "holidays"] or photo_files()
    for path in photos:
        (root / "small" / path.name).write_bytes(path.read_bytes())
    for name, model in (("lite0", "efficientnet-lite0"), ("vgg16", str(random_vgg16().resolve()))):
        alone = batched_rate(network(model, root / name / "models"))
        first = index(root / "small", root / name, model)
        add(table, name, "325 × 243", "searchable", len(photos), first.phases_s["describing"], alone, first)
        again = index(root / "small", root / name, model)
        add(table, name, "325 × 243", "nothing changed", len(photos), again.seconds, float("nan"), again)


def add(
    table: Table,
    network: str,
    photos: str,
    what: str,
    count: int,
    seconds: float,
    limit: float,
    run: Indexing,
) -> None:
    """limit: photos a second."""
    rate = count / seconds
    table.add(network, photos, what, seconds, rate, limit, rate / limit, run.peak_mb)


def network(model: str, models_dir: Path) -> Backbone:
    """Converted for a store before it is indexed, in the precision that the indexer takes."""
    return load_backbone(models_dir, prepare_model(model, models_dir).identity, Precision.AUTO, threads=0)


def batched_rate(backbone: Backbone) -> float:
    """Photos a second of the network alone."""
    return BATCH * 1e3 / median_ms(partial(backbone.embed, noise(backbone)), repeats=10)


def decoding_rate(plan: InputPlan, files: list[Path]) -> float:
    """Photos a second that as many processes as processors decode at the scale that the network needs."""
    with ProcessPoolExecutor(available_cpus()) as pool:
        list(pool.map(partial(decode_one, plan), files[: 2 * available_cpus()]))
        start = time.perf_counter()
        list(pool.map(partial(decode_one, plan), files))
        return len(files) / (time.perf_counter() - start)


def decode_one(plan: InputPlan, path: Path) -> int:
    return int(decode(path.read_bytes(), LIMITS, plan.least_scale).rgb.size)


def parts_ms(backbone: Backbone, plan: InputPlan, files: list[Path]) -> dict[str, float]:
    """Processor time of each part by itself, of one photo, in milliseconds."""
    cv2.setNumThreads(1)  # as in the workers
    decoded = [decode(path.read_bytes(), LIMITS, plan.least_scale).rgb for path in files]
    previews = [bounded(rgb, PREVIEW_LONG_SIDE_PX) for rgb in decoded]
    extractor = RootSift.to_verify(upright=False)
    decode_ms = each_ms([partial(decode_one, plan, path) for path in files])
    input_ms = each_ms([partial(plan.prepare, rgb) for rgb in decoded])
    whole_ms = each_ms([partial(decode_file, path, LIMITS, plan) for path in files])
    return {
        "decoding": decode_ms,
        "network input": input_ms,
        "hash, thumbnail and preview": whole_ms - decode_ms - input_ms,
        "network": processor_ms(partial(backbone.embed, noise(backbone))) / BATCH,
        "local features": each_ms([partial(extractor.extract, rgb) for rgb in previews]),
    }


def each_ms(calls: list[Callable[[], object]]) -> float:
    return sum(processor_ms(call, repeats=5) for call in calls) / len(calls)


def noise(backbone: Backbone) -> np.ndarray:
    size = backbone.card.input.size_px
    return np.random.default_rng(0).integers(256, size=(BATCH, size, size, 3), dtype=np.uint8)
