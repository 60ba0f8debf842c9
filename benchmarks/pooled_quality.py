"""Retrieval quality of the pooled convolutional descriptors: `python -m benchmarks.pooled_quality`.

Each pooling as it is, whitened by the other set's photos and whitened by the collection itself, as an index
would with its own photos: no labels are used.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import LIMITS, MODELS_DIR
from benchmarks.report import Table
from benchmarks.retrieval import GroundTruth, evaluate, load_corel1k, load_holidays
from extractor_service.backbones import Backbone, Precision, load_backbone, prepare_model
from extractor_service.descriptors.pooled import POOLINGS, Pooled
from extractor_service.descriptors.summed import Summed, learn_summed
from extractor_service.images import decode

SETS: dict[str, Callable[[Path], GroundTruth]] = {"holidays": load_holidays, "corel1k": load_corel1k}

Vectors = list[NDArray[np.float32]]


def quality(truth: GroundTruth, described: NDArray[np.float32]) -> tuple[float, float]:
    """described: shape=(N, D), rows in the order of `truth.photos`. Returns mAP and P@10."""
    photos = np.array(truth.photos)
    row = {name: place for place, name in enumerate(truth.photos)}
    rankings = {
        query: photos[np.argsort(-(described @ described[row[query]]), kind="stable")].tolist()
        for query in truth.relevant
    }
    measured = evaluate(truth, rankings)
    return measured.mean_average_precision, measured.precision_at_10


def pooled_vectors(pooled: Pooled, folder: Path, truth: GroundTruth) -> Vectors:
    pictures = (decode((folder / name).read_bytes(), LIMITS).rgb for name in truth.photos)
    return [pooled.describe([pooled.input_plan.prepare(rgb)])[0] for rgb in pictures]


def measure(table: Table, name: str, backbone: Backbone, long_side_px: int, photos: Path) -> None:
    plain = Pooled(name, backbone, long_side_px)
    truths = {set_name: load(photos / set_name) for set_name, load in SETS.items()}
    vectors = {each: pooled_vectors(plain, photos / each, truth) for each, truth in truths.items()}
    for learnt_on in (None, *SETS):
        encoding = Summed(plain.dim)
        if learnt_on is not None:
            encoding, _ = learn_summed(vectors[learnt_on], plain.dim)
        for each, truth in truths.items():
            described = np.stack([encoding.encode(rows) for rows in vectors[each]])
            table.add(
                name, long_side_px, learnt_on or "-", each, *quality(truth, described), 2 * encoding.dim
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pooled_quality", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, default=Path(os.environ.get("EVAL_PHOTOS", "../shared/data/eval"))
    )
    parser.add_argument("--model", default="compact")
    parser.add_argument("--long-side", type=int, nargs="+", default=[128, 224])
    options = parser.parse_args()
    identity = prepare_model(options.model, MODELS_DIR).identity
    backbone = load_backbone(MODELS_DIR, identity, Precision.F32, threads=0)
    columns = ("pooling", "long side px", "whitened by", "photos", "mAP", "P@10", "bytes a picture")
    table = Table(f"quality-pooled-{identity.name}", columns).start()
    for long_side_px in options.long_side:
        for name in POOLINGS:
            measure(table, name, backbone, long_side_px, options.photos)
    table.save()


if __name__ == "__main__":
    main()
