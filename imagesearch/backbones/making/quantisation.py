"""Post-training quantisation: from a converted network to its int8 form, in a process of its own.

NNCF chooses a scale for each layer's activations by running a sample of photos through the network, and one
for each output channel of the weights (Krishnamoorthi 2018, "Quantizing deep convolutional networks for
efficient inference", sections 2 and 3). The first convolution, which sees the pixels, and the mean over a
map stay as they are: quantising them costs much accuracy and saves next to no time.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import TEXT_OUTPUT, Backbone, Card, Int8Quality, ModelIdentity, Precision
from imagesearch.backbones.converted import (
    ConvertedModel,
    exclusively,
    file_names,
    open_converted,
    publish,
    sha256_of,
)
from imagesearch.backbones.making.conversion import child_environment
from imagesearch.backbones.runtime import OpenVinoBackbone, load_backbone
from imagesearch.errors import ModelUnavailable, PrecisionRefused

if TYPE_CHECKING:
    import openvino as ov

logger = logging.getLogger(__name__)

LEAST_OVERLAP_AT_10 = 0.95
NEIGHBOURS = 10
Describe = Callable[[Backbone], NDArray[np.float32]]
"""The descriptors of the photos to measure with, by this network: shape=(N, D), rows L2-normalised."""


def can_quantise() -> bool:
    """Whether what quantisation needs is installed; serving an int8 form needs none of it."""
    return find_spec("nncf") is not None


def quantise(
    models_dir: Path,
    identity: ModelIdentity,
    calibration: NDArray[np.uint8],
    describe: Describe,
    threads: int,
) -> ConvertedModel:
    """The int8 form of a converted model, put beside it if it has shown that it finds the same photos.

    calibration: shape=(N, S, S, 3), network inputs. describe: of photos that are not among them.
    Raises PrecisionRefused below LEAST_OVERLAP_AT_10, ModelUnavailable when NNCF is not installed or fails.
    """
    if not can_quantise():
        raise ModelUnavailable(
            "Quantising a model needs NNCF, which is not installed: install requirements/convert.txt."
        )
    with exclusively(models_dir), tempfile.TemporaryDirectory(prefix=".quantising-", dir=models_dir) as name:
        model, folder = open_converted(models_dir, identity), Path(name)
        _copy(model, folder)
        images = [output for output in model.card.outputs if output != TEXT_OUTPUT]
        _quantise_apart(model.folder, images, calibration, folder)
        quantised = replace(identity, quantisation=_digest(folder, file_names(model.card)))
        exact = describe(load_backbone(models_dir, identity, Precision.F32, threads))
        coarse = describe(OpenVinoBackbone(folder, model.card, quantised, Precision.INT8, threads, None))
        quality = compare(exact, coarse)
        _check(quality)
        return publish(
            models_dir,
            quantised,
            model.own_weights,
            lambda target: _move(folder, target, model.card),
            quality,
        )


def _copy(model: ConvertedModel, folder: Path) -> None:
    """All its files, of which those of the pictures are replaced."""
    for name in file_names(model.card):
        shutil.copyfile(model.folder / name, folder / name)


def compare(exact: NDArray[np.float32], coarse: NDArray[np.float32]) -> Int8Quality:
    """Both: descriptors of the same photos, shape=(N, D), N > 10, rows L2-normalised. Each photo is searched
    for among the others."""
    overlaps = [
        len(np.intersect1d(*pair)) / NEIGHBOURS
        for pair in zip(_nearest(exact), _nearest(coarse), strict=True)
    ]
    cosines = np.einsum("nd,nd->n", exact, coarse)
    return Int8Quality(float(cosines.mean()), float(np.mean(overlaps)), len(exact))


def _nearest(descriptors: NDArray[np.float32]) -> NDArray[np.intp]:
    """Rows of the nearest others of each row, shape=(N, NEIGHBOURS), in no order."""
    similarities = descriptors @ descriptors.T
    np.fill_diagonal(similarities, -np.inf)
    return np.argpartition(-similarities, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]


def _check(quality: Int8Quality) -> None:
    if quality.overlap_at_10 < LEAST_OVERLAP_AT_10:
        raise PrecisionRefused(
            f"With int8 only {quality.overlap_at_10:.3f} of a photo's ten nearest stay the same, measured on "
            f"{quality.photos} of these photos, and {LEAST_OVERLAP_AT_10} is the least that is accepted; "
            "nothing was changed. Use bf16 or f32."
        )


def _move(source: Path, target: Path, card: Card) -> Card:
    for name in file_names(card):
        (source / name).rename(target / name)
    return card


def _digest(folder: Path, names: Sequence[str]) -> str:
    return hashlib.sha256("".join(sha256_of(folder / name) for name in names).encode("ascii")).hexdigest()


def _quantise_apart(
    source: Path, outputs: Sequence[str], calibration: NDArray[np.uint8], target: Path
) -> None:
    """NNCF's memory ends with its process, and what it prints does not reach the terminal."""
    inputs_file = target / "calibration.npy"
    np.save(inputs_file, calibration, allow_pickle=False)
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__, str(source.absolute()), str(target.absolute()), *outputs],
        env=child_environment(str(target)),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    inputs_file.unlink()
    if done.returncode != 0:
        logger.error("Quantising failed with status %d:\n%s", done.returncode, done.stderr[-4000:])
        raise ModelUnavailable(f"Quantising {source.name} failed; the log has the details.")


def _quantise_here(source: Path, target: Path, outputs: Sequence[str]) -> None:
    import nncf
    import openvino as ov

    calibration = np.load(target / "calibration.npy", allow_pickle=False)
    dataset = nncf.Dataset([picture[np.newaxis] for picture in calibration])
    for name in (f"{output}.xml" for output in outputs):
        model = ov.Core().read_model(source / name)
        quantised = nncf.quantize(
            model,
            dataset,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(calibration),
            fast_bias_correction=False,  # slower, once, for an overlap of 0.958 in place of 0.939
            ignored_scope=nncf.IgnoredScope(names=_left_as_they_are(model)),
        )
        ov.save_model(quantised, target / name, compress_to_fp16=False)


def _left_as_they_are(model: ov.Model) -> list[str]:
    operations = model.get_ordered_ops()
    first_convolution = next(op for op in operations if op.get_type_name() == "Convolution")
    means = [op for op in operations if op.get_type_name() == "ReduceMean"]
    return [op.get_friendly_name() for op in (first_convolution, *means)]


if __name__ == "__main__":
    _quantise_here(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
