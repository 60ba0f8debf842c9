"""What float16 descriptors cost a ranking: `python -m benchmarks.float16`.

Queries stay float32 as in a search; the collection is ranked once as float32 and once rounded to float16.
VGG16 has random weights here: their many small values round worse than trained ones would.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import random_vgg16
from benchmarks.photos import BATCH, LIMITS, MODELS_DIR
from benchmarks.report import Table
from benchmarks.retrieval import GroundTruth, evaluate, load_corel1k, load_holidays
from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.descriptors.base import Descriptor
from imagesearch.descriptors.embedding import Embedding
from imagesearch.pictures.decode import decode

K = 10


def run() -> None:
    photos = Path(os.environ.get("EVAL_PHOTOS", "../shared/data/eval"))
    table = Table(
        "float16",
        ("network", "photos", "top-10 overlap", "largest change of a distance", "mAP float32", "mAP float16"),
    ).start()
    for name, source in (
        ("lite0", "efficientnet-lite0"),
        ("vgg16, random", str(random_vgg16())),
    ):
        identity = prepare_model(source, MODELS_DIR).identity
        descriptor = Embedding(load_backbone(MODELS_DIR, identity, Precision.AUTO, threads=0))
        for folder, load in (("holidays", load_holidays), ("corel1k", load_corel1k)):
            truth = load(photos / folder)
            measure(table, name, folder, truth, describe(descriptor, photos / folder, truth))
    table.save()


def describe(descriptor: Descriptor, folder: Path, truth: GroundTruth) -> NDArray[np.float32]:
    """shape=(N, D), a row for each photo of the ground truth."""
    batches = []
    for start in range(0, len(truth.photos), BATCH):
        pictures = (decode((folder / name).read_bytes(), LIMITS).rgb for name in truth.photos[start:][:BATCH])
        batches.extend(descriptor.describe([descriptor.input_plan.prepare(rgb) for rgb in pictures]))
    return np.concatenate(batches)


def measure(table: Table, name: str, folder: str, truth: GroundTruth, whole: NDArray[np.float32]) -> None:
    rounded = whole.astype(np.float16).astype(np.float32)
    before, after = distances(whole, whole), distances(whole, rounded)
    overlaps = [
        len(set(one) & set(other)) / K for one, other in zip(nearest(before), nearest(after), strict=True)
    ]
    table.add(
        name,
        folder,
        f"{np.mean(overlaps):.5f}",
        float(np.abs(before - after)[~np.eye(len(whole), dtype=bool)].max()),
        f"{mean_average_precision(truth, before):.5f}",
        f"{mean_average_precision(truth, after):.5f}",
    )


def distances(queries: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """L2, shape=(Q, N). In float64, so that nothing but the rounding differs."""
    left, right = queries.astype(np.float64), rows.astype(np.float64)
    squared = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def nearest(found: NDArray[np.float64]) -> NDArray[np.int64]:
    """The K nearest others of each photo, shape=(N, K)."""
    others = found + np.where(np.eye(len(found), dtype=bool), np.inf, 0)
    return np.argsort(others, axis=1, kind="stable")[:, :K]


def mean_average_precision(truth: GroundTruth, found: NDArray[np.float64]) -> float:
    photos = np.array(truth.photos)
    row = {name: place for place, name in enumerate(truth.photos)}
    rankings = {
        query: photos[np.argsort(found[row[query]], kind="stable")].tolist() for query in truth.relevant
    }
    return evaluate(truth, rankings).mean_average_precision


if __name__ == "__main__":
    run()
