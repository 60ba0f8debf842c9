"""From a weights' file to OpenVINO IR, in a process of its own, so that TensorFlow's memory ends with it."""

from __future__ import annotations

import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imagesearch.backbones.cards import CARDS
from imagesearch.backbones.making.layout import Layout
from imagesearch.backbones.making.weight_files import layout_for, read_weights
from imagesearch.errors import ModelDamaged, ModelUnavailable, StoreFull

logger = logging.getLogger(__name__)

PACKAGE_ROOT = Path(__file__).parents[3]
DAMAGED_EXIT_CODE = 3


def can_convert() -> bool:
    """Whether what conversion needs is installed; serving needs none of it."""
    return find_spec("tensorflow") is not None and find_spec("h5py") is not None


def convert(weights_file: Path, folder: Path) -> None:
    """Writes the graphs that the network's card names, .xml and .bin of each, into an existing folder.

    Raises ModelDamaged when the file is not in a known layout, StoreFull when the disk is, and
    ModelUnavailable when TensorFlow is not installed or the conversion fails.
    """
    if not can_convert():
        raise ModelUnavailable(
            "Converting a model needs TensorFlow, which is not installed: install requirements/convert.txt, "
            "or use a store whose model is already converted."
        )
    _check_room(layout_for(weights_file), folder)
    with tempfile.TemporaryDirectory() as keras_home:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__, str(weights_file.absolute()), str(folder.absolute())],
            env=child_environment(keras_home),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode == 0:
        return
    if done.returncode == DAMAGED_EXIT_CODE:
        raise ModelDamaged(done.stdout.strip())
    logger.error(
        "Conversion of %s failed with status %d:\n%s", weights_file, done.returncode, done.stderr[-4000:]
    )
    raise ModelUnavailable(f"Converting {weights_file.name} failed; the log has the details.")


def _check_room(layout: Layout, folder: Path) -> None:
    """Before, not after: OpenVINO's writer does not tell a full disk from another failure."""
    needed_bytes = sum(
        math.prod(shape) * 4 * (1 if key.startswith(layout.head_layers) else 2)  # two graphs hold the rest
        for key, shape in layout.weight_shapes().items()
    )
    if shutil.disk_usage(folder).free < needed_bytes:
        raise StoreFull(f"The disk is full: converting the model needs {needed_bytes >> 20} MB in the store.")


def child_environment(keras_home: str) -> dict[str, str]:
    """For a process that imports Keras: quiet, on the processor, and whatever ~/.keras says."""
    paths = [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": keras_home,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _write_ir(layout: Layout, network: Any, path: Path) -> None:
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(ov.convert_model(network))
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NHWC"))
    pixels = steps.input().preprocess().convert_element_type(ov.Type.f32)
    pixels.mean(list(layout.mean_rgb)).scale(layout.scale)
    if layout.channel_order == "bgr":
        pixels.reverse_channels()
    ov.save_model(steps.build(), path, compress_to_fp16=False)  # else f32 would not be f32


def _convert_here(weights_file: Path, folder: Path) -> None:
    layout, weights = read_weights(weights_file)
    from imagesearch.backbones.making.keras_network import build

    warnings.filterwarnings("ignore", message="The structure of `inputs`")  # Keras, of OpenVINO's tracing
    convolutions, network = build(layout, weights)
    del weights
    card = CARDS[layout.name]
    if card.conv_map:
        _write_ir(layout, convolutions, folder / f"{card.conv_map.output}.xml")
    _write_ir(layout, network, folder / f"{card.descriptor}.xml")


def main(weights_file: str, folder: str) -> int:
    try:
        _convert_here(Path(weights_file), Path(folder))
    except ModelDamaged as error:
        sys.stdout.write(f"{error}\n")
        return DAMAGED_EXIT_CODE
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
