"""A folder in Hugging Face's layout, read: which graphs it holds, how they take pictures and words, its card.

Exports of optimum and of Transformers.js have this layout, of a vision model alone or of one with a text
tower. Nothing in the folder is run but its graphs, and those by OpenVINO.
"""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.backbones.base import Card
from imagesearch.backbones.cards import CARDS
from imagesearch.backbones.converted import TOKENIZER_NAME, sha256_of
from imagesearch.backbones.making import preprocessor
from imagesearch.backbones.making.json_object import read_json
from imagesearch.backbones.making.pixels import PixelScaling
from imagesearch.backbones.making.preprocessor import read_preprocessing
from imagesearch.backbones.making.words import WordInput, read_word_input
from imagesearch.errors import ModelDamaged

PREPROCESSING = "folder-2"
"""Version of the way from pixels to the input of a network that came in a folder. What is its own is in its
files, and so in its digest."""

IMAGE_GRAPHS = (
    "openvino_vision_model.xml",
    "openvino_model_vision.xml",
    "openvino_model.xml",
    "onnx/vision_model.onnx",
    "vision_model.onnx",
    "onnx/model.onnx",
    "model.onnx",
)
TEXT_GRAPHS = (
    "openvino_text_model.xml",
    "openvino_model_text.xml",
    "onnx/text_model.onnx",
    "text_model.onnx",
)
WHOLE_GRAPHS = {"openvino_model.xml", "onnx/model.onnx", "model.onnx"}
"""They may hold both towers, as optimum exports a model of pictures and words."""

# How an ONNX graph names a file with weights: an entry of the key "location", in protobuf's encoding.
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a folder holds."""

    card: Card
    """Without its text tower, whose length only the graph knows."""
    image_graph: Path
    scaling: PixelScaling
    text_graph: Path | None
    """None for a model without words."""
    words: WordInput | None
    """How its tokenizer pads and cuts; None for a model without words."""


def read_model_folder(folder: Path) -> ModelFolder:
    """Raises ModelDamaged, naming the file and what is wrong with it."""
    config = read_json(folder / preprocessor.FILE_NAME)
    preprocessing = read_preprocessing(config)
    image_graph = _first_of(folder, IMAGE_GRAPHS)
    if image_graph is None:
        raise ModelDamaged(
            f"The folder {folder.name} holds no graph: one of {', '.join(IMAGE_GRAPHS)} must be in it."
        )
    text_graph = _text_graph(folder, image_graph)
    if text_graph is not None and not (folder / TOKENIZER_NAME).is_file():
        raise ModelDamaged(f"The folder {folder.name} holds {text_graph.name}, but no {TOKENIZER_NAME}.")
    words = read_word_input(folder, config.get("processor_class")) if text_graph else None
    graphs = dict.fromkeys(graph for graph in (image_graph, text_graph) if graph)
    card = Card(
        name=_name_of(folder),
        title=folder.resolve().name,
        licence="that of the folder's model",
        source=f"the folder {folder.resolve().name}",
        digest=f"sha256:{_digest(folder, graphs, has_words=words is not None)}",
        preprocessing=PREPROCESSING,
        input=preprocessing.input,
        descriptor="embedding",
    )
    return ModelFolder(card, image_graph, preprocessing.scaling, text_graph, words)


def _first_of(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _text_graph(folder: Path, image_graph: Path) -> Path | None:
    is_whole = image_graph.relative_to(folder).as_posix() in WHOLE_GRAPHS
    has_words = is_whole and (folder / TOKENIZER_NAME).is_file()
    return _first_of(folder, TEXT_GRAPHS) or (image_graph if has_words else None)


def _name_of(folder: Path) -> str:
    """For folders and messages; never that of a network with a card of its own."""
    name = re.sub(r"[^a-z0-9.]+", "-", folder.resolve().name.lower()).strip("-.")[:48] or "model"
    return f"{name}-folder" if name in CARDS else name


def _digest(folder: Path, graphs: Iterable[Path], has_words: bool) -> str:
    """SHA-256 over every file that the descriptors depend on, hexadecimal."""
    settings = [preprocessor.FILE_NAME, *([TOKENIZER_NAME, "tokenizer_config.json"] if has_words else [])]
    files = [folder / name for name in settings if (folder / name).is_file()]
    for graph in graphs:
        files += [graph, *_weights_of(graph)]
    return hashlib.sha256("".join(sha256_of(file) for file in files).encode("ascii")).hexdigest()


def _weights_of(graph: Path) -> list[Path]:
    """The files beside a graph that hold its weights. Raises ModelDamaged where one is missing."""
    names = [f"{graph.stem}.bin"] if graph.suffix == ".xml" else sorted(set(_external_data(graph)))
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ModelDamaged(f"{graph.name} names a file with weights outside its folder; export it again.")
        if not (graph.parent / name).is_file():
            raise ModelDamaged(f"{graph.name} has its weights in {name}, which is missing: copy it as well.")
    return [graph.parent / name for name in names]


def _external_data(graph: Path) -> Iterator[str]:
    with graph.open("rb") as file:
        if not graph.stat().st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for entry in _LOCATION.finditer(content):
                name = content[entry.end() : entry.end() + entry[1][0]]
                yield name.decode("utf-8", "replace")
