"""From a weights' file or a folder of graphs to what is served, in a process of its own: its memory ends with
it, and so does a crash."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imagesearch.backbones.base import Card
from imagesearch.backbones.cards import CARDS
from imagesearch.backbones.converted import card_from_json
from imagesearch.backbones.making.layout import Layout
from imagesearch.backbones.making.pixels import PixelScaling, with_pixels
from imagesearch.backbones.making.weight_files import layout_for, read_weights
from imagesearch.errors import ModelDamaged, ModelUnavailable, StoreFull

logger = logging.getLogger(__name__)

PACKAGE_ROOT = Path(__file__).parents[3]
DAMAGED_EXIT_CODE = 3
CARD_NAME = "card.json"


def can_convert() -> bool:
    """Whether what conversion needs is installed; serving needs none of it."""
    return find_spec("tensorflow") is not None and find_spec("h5py") is not None


def convert(source: Path, folder: Path) -> Card:
    """Writes the graphs that the network's card names, .xml and .bin of each, into an existing folder.

    source: a weights' file, or the folder of a model with graphs of its own. Raises ModelDamaged when it is
    not in a known layout, StoreFull when the disk is, and ModelUnavailable when TensorFlow, which weights'
    files need, is not installed or the conversion fails.
    """
    if source.is_dir():
        _check_room(sum(file.stat().st_size for file in source.rglob("*") if file.is_file()), folder)
    elif can_convert():
        _check_room(_needed_bytes(layout_for(source)), folder)
    else:
        raise ModelUnavailable(
            "Converting a model needs TensorFlow, which is not installed: install requirements/convert.txt, "
            "or use a store whose model is already converted."
        )
    with tempfile.TemporaryDirectory() as keras_home:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__, str(source.absolute()), str(folder.absolute())],
            env=child_environment(keras_home),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode == 0:
        return _taken_card(folder)
    if done.returncode == DAMAGED_EXIT_CODE:
        raise ModelDamaged(done.stdout.strip())
    logger.error("Conversion of %s failed with status %d:\n%s", source, done.returncode, done.stderr[-4000:])
    raise ModelUnavailable(f"Converting {source.name} failed; the log has the details.")


def _taken_card(folder: Path) -> Card:
    """What the process has written of its network, which folder is left without."""
    file = folder / CARD_NAME
    fields = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return CARDS.get(fields["name"]) or card_from_json(fields)


def _check_room(needed_bytes: int, folder: Path) -> None:
    """Before, not after: OpenVINO's writer does not tell a full disk from another failure."""
    if shutil.disk_usage(folder).free < needed_bytes:
        raise StoreFull(f"The disk is full: converting the model needs {needed_bytes >> 20} MB in the store.")


def _needed_bytes(layout: Layout) -> int:
    return sum(
        math.prod(shape) * 4 * (1 if key.startswith(layout.head_layers) else 2)  # two graphs hold the rest
        for key, shape in layout.weight_shapes().items()
    )


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


def _convert_here(source: Path, folder: Path) -> Card:
    if source.is_dir():
        from imagesearch.backbones.making.exported_graphs import convert_folder

        return convert_folder(source, folder)
    layout, weights = read_weights(source)
    from imagesearch.backbones.making.keras_network import build

    warnings.filterwarnings("ignore", message="The structure of `inputs`")  # Keras, of OpenVINO's tracing
    convolutions, network = build(layout, weights)
    del weights
    card = CARDS[layout.name]
    if card.conv_map:
        _write_ir(layout, convolutions, folder / f"{card.conv_map.output}.xml")
    _write_ir(layout, network, folder / f"{card.descriptor}.xml")
    return card


def _write_ir(layout: Layout, network: Any, path: Path) -> None:
    import openvino as ov

    scaling = PixelScaling(layout.mean_rgb, (layout.scale,) * 3, layout.channel_order)
    graph = with_pixels(ov.convert_model(network), scaling, "NHWC")
    ov.save_model(graph, path, compress_to_fp16=False)  # else f32 would not be f32


def main(source: str, folder: str) -> int:
    try:
        card = _convert_here(Path(source), Path(folder))
    except ModelDamaged as error:
        sys.stdout.write(f"{error}\n")
        return DAMAGED_EXIT_CODE
    (Path(folder) / CARD_NAME).write_text(json.dumps(asdict(card)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
