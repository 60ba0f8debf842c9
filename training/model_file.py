"""Weights' files that the indexer takes, each with its card: what it learnt from and how good it became."""

from __future__ import annotations

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from imagesearch.backbones.converted import sha256_of
from imagesearch.backbones.making.layout import Weights
from training.files import whole_file
from training.recipes import Finetuned, FinetuneRecipe


def write_weights(path: Path, weights: Weights) -> None:
    """In the layout of the suffix. Raises DiskFull.

    .npz: kernels in float16, biases in float32. .h5: a group for each layer, float32, as Keras 1 and 2 wrote
    them.
    """
    with whole_file(path) as file:
        if path.suffix == ".npz":
            halved = {name: _halved(name, array) for name, array in weights.items()}
            np.savez(file, **halved)  # type: ignore[arg-type]  # numpy's stub takes allow_pickle for a name
            return
        import h5py

        with h5py.File(file, "w") as groups:
            for name, array in weights.items():
                groups.create_dataset(name, data=array.astype(np.float32))


def write_card(model: Path, done: Finetuned, start: Path, recipe: FinetuneRecipe) -> None:
    """Beside the weights' file, under its name with the ending .md. Raises DiskFull."""
    measured = done.comparison
    rows = {
        "file": f"{model.name}, SHA-256 {done.sha256}",
        "began from": f"{start.name}, SHA-256 {sha256_of(start)}",
        "photos learnt from": ", ".join(f"{name} {count}" for name, count in done.photos_per_label.items()),
        "steps": f"{done.steps:,}, {done.seconds / 60:.1f} minutes",
        f"{done.descriptor} mAP before, {measured.queries:,} held-out photos": f"{measured.before:.3f}",
        f"{done.descriptor} mAP after, the same photos": f"{measured.after:.3f}",
        "difference, 95 % confidence": f"{measured.low:+.3f} to {measured.high:+.3f}",
        "when and where": f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Keras {keras.__version__} on "
        f"{keras.backend.backend()}",
    }
    lines = ["# A network adapted to one's own photos", "", "| what | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    lines += ["", "## Recipe", "", *(f"- `{name}`: {value}" for name, value in asdict(recipe).items()), ""]
    with whole_file(model.with_suffix(".md")) as file:
        file.write("\n".join(lines).encode())


def _halved(name: str, array: np.ndarray) -> np.ndarray:
    return array.astype(np.float16 if name.endswith("/kernel") else np.float32)
