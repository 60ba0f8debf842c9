"""Real photos for the benchmarks: the evaluation photos where they are, else the drawn samples."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.descriptors.embedding import Embedding
from imagesearch.pictures.decode import ImageLimits, decode

MODELS_DIR = Path("var/benchmarks/models")
LIMITS = ImageLimits(max_bytes=50_000_000, max_pixels=100_000_000)
BATCH = 32


def photo_files() -> list[Path]:
    folder = Path(os.environ.get("EVAL_PHOTOS", "../shared/data/eval"))
    if not folder.is_dir():
        folder = Path("var/samples")
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))
    if not files:
        raise SystemExit("There are no photos: set EVAL_PHOTOS, or run `make samples` first.")
    return files


def real_descriptors() -> NDArray[np.float32]:
    """EfficientNet-Lite0's embeddings of all photos, shape=(N, 1280), L2-normalised; kept between runs."""
    kept = Path("var/benchmarks/descriptors.npy")
    if kept.is_file():
        return np.asarray(np.load(kept, allow_pickle=False))
    identity = prepare_model("efficientnet-lite0", MODELS_DIR).identity
    descriptor = Embedding(load_backbone(MODELS_DIR, identity, Precision.F32, threads=0))
    inputs = [descriptor.input_plan.prepare(decode(path.read_bytes(), LIMITS).rgb) for path in photo_files()]
    starts = range(0, len(inputs), BATCH)
    rows = np.concatenate(
        [row for start in starts for row in descriptor.describe(inputs[start : start + BATCH])]
    )
    np.save(kept, rows, allow_pickle=False)
    return rows
