"""Small networks in folders laid out as optimum and Transformers.js export them, and what they compute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

Arrays = dict[str, NDArray[Any]]

SIZE_PX = 32
PATCH_PX = 8
TOKENS = (SIZE_PX // PATCH_PX) ** 2 + 1
WIDTH = 12
MEAN, DEVIATION = [0.48, 0.45, 0.4], [0.26, 0.25, 0.27]
WORDS = ["<pad>", "<unk>", "a", "photo", "of", "red", "green", "blue", "white", "black"]
COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "white": (255,) * 3,
    "black": (0,) * 3,
}
MAX_TOKENS = 8

CLIP_PREPROCESSING: Mapping[str, Any] = {
    "crop_size": {"height": SIZE_PX, "width": SIZE_PX},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": MEAN,
    "image_processor_type": "CLIPImageProcessor",
    "image_std": DEVIATION,
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": SIZE_PX},
}


@dataclass(frozen=True)
class Graph:
    """Of an ONNX file: nodes as (operator, inputs, output, attributes), arrays by name."""

    inputs: Mapping[str, tuple[int, Sequence[str | int]]]
    outputs: Mapping[str, Sequence[str | int]]
    nodes: Sequence[tuple[str, Sequence[str], str, dict[str, Any]]]
    arrays: Arrays

    def save(self, path: Path, external: bool = False) -> None:
        """external: the arrays go into a second file beside it."""
        graph = helper.make_graph(
            [
                helper.make_node(op, names, [output], **attributes)
                for op, names, output, attributes in self.nodes
            ],
            "small",
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in self.inputs.items()],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in self.outputs.items()
            ],
            [numpy_helper.from_array(array, name) for name, array in self.arrays.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save_model(
            model, path, save_as_external_data=external, location=f"{path.name}_data", size_threshold=0
        )


PIXELS = {"pixel_values": (TensorProto.FLOAT, ["batch_size", "num_channels", "height", "width"])}


def vit(seed: int = 0) -> Graph:
    """Patches, a class token, places, one block of attention: `last_hidden_state`."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {
        "patches": _normal(rng, WIDTH, 3, PATCH_PX, PATCH_PX) / PATCH_PX,
        "class": _normal(rng, 1, 1, WIDTH),
        "places": _normal(rng, 1, TOKENS, WIDTH),
        **{name: _normal(rng, WIDTH, WIDTH) / 4 for name in ("query", "key", "value", "hidden")},
        "flat": np.array([0, WIDTH, -1], np.int64),
        "rest": np.array([1, WIDTH], np.int64),
    }
    nodes: list[tuple[str, Sequence[str], str, dict[str, Any]]] = [
        ("Conv", ["pixel_values", "patches"], "grid", {"strides": [PATCH_PX, PATCH_PX]}),
        ("Reshape", ["grid", "flat"], "columns", {}),
        ("Transpose", ["columns"], "tokens", {"perm": [0, 2, 1]}),
        ("Shape", ["pixel_values"], "count", {"start": 0, "end": 1}),
        ("Concat", ["count", "rest"], "classes", {"axis": 0}),
        ("Expand", ["class", "classes"], "first", {}),
        ("Concat", ["first", "tokens"], "all", {"axis": 1}),
        ("Add", ["all", "places"], "placed", {}),
        ("MatMul", ["placed", "query"], "queries", {}),
        ("MatMul", ["placed", "key"], "keys", {}),
        ("MatMul", ["placed", "value"], "values", {}),
        ("Transpose", ["keys"], "turned", {"perm": [0, 2, 1]}),
        ("MatMul", ["queries", "turned"], "scores", {}),
        ("Softmax", ["scores"], "attention", {"axis": -1}),
        ("MatMul", ["attention", "values"], "attended", {}),
        ("Add", ["placed", "attended"], "block", {}),
        ("MatMul", ["block", "hidden"], "mixed", {}),
        ("Relu", ["mixed"], "relu", {}),
        ("Add", ["block", "relu"], "last_hidden_state", {}),
    ]
    return Graph(PIXELS, {"last_hidden_state": ["batch_size", "sequence_length", WIDTH]}, nodes, arrays)


def vit_by_numpy(pixels: NDArray[np.float32], arrays: Arrays) -> NDArray[np.float32]:
    """pixels: shape=(B, 3, SIZE_PX, SIZE_PX), normalised. Returns the class token, shape=(B, WIDTH)."""
    batch, side = len(pixels), SIZE_PX // PATCH_PX
    patches = pixels.reshape(batch, 3, side, PATCH_PX, side, PATCH_PX).transpose(0, 2, 4, 1, 3, 5)
    tokens = patches.reshape(batch, side * side, -1) @ arrays["patches"].reshape(WIDTH, -1).T
    placed = np.concatenate([np.repeat(arrays["class"], batch, 0), tokens], axis=1) + arrays["places"]
    scores = (placed @ arrays["query"]) @ (placed @ arrays["key"]).transpose(0, 2, 1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    block = placed + weights / weights.sum(-1, keepdims=True) @ (placed @ arrays["value"])
    hidden: NDArray[np.float32] = block + np.maximum(block @ arrays["hidden"], 0)
    return hidden[:, 0]


def convolutional(seed: int = 0) -> Graph:
    """One convolution: a map and its mean."""
    rng = np.random.default_rng(seed)
    return Graph(
        PIXELS,
        {
            "last_hidden_state": ["batch_size", WIDTH, "height_2", "width_2"],
            "pooler_output": ["batch_size", WIDTH, 1, 1],
        },
        [
            ("Conv", ["pixel_values", "kernels"], "convolved", {"strides": [PATCH_PX, PATCH_PX]}),
            ("Relu", ["convolved"], "last_hidden_state", {}),
            ("GlobalAveragePool", ["last_hidden_state"], "pooler_output", {}),
        ],
        {"kernels": _normal(rng, WIDTH, 3, PATCH_PX, PATCH_PX) / PATCH_PX},
    )


def clip_image() -> Graph:
    """The mean colour in WIDTH dimensions, of which words name some."""
    return Graph(
        PIXELS,
        {"image_embeds": ["batch_size", WIDTH]},
        [
            ("GlobalAveragePool", ["pixel_values"], "means", {}),
            ("Flatten", ["means"], "colours", {"axis": 1}),
            ("MatMul", ["colours", "projection"], "image_embeds", {}),
        ],
        {"projection": _projection()},
    )


def clip_text(vocabulary: int = len(WORDS), width: int = WIDTH) -> Graph:
    """The sum of what its words mean, where the mask lets them through."""
    table = np.zeros((vocabulary, width), np.float32)
    for word, rgb in COLOURS.items():
        place = WORDS.index(word)
        if place < vocabulary:
            table[place, :WIDTH] = _normalised(np.array([rgb], np.float32))[0] @ _projection()[:, :width]
    table[WORDS.index("photo")] = 0.01
    ids = (TensorProto.INT64, ["batch_size", "sequence_length"])
    return Graph(
        {"input_ids": ids, "attention_mask": ids},
        {"text_embeds": ["batch_size", width]},
        [
            ("Gather", ["table", "input_ids"], "meanings", {"axis": 0}),
            ("Cast", ["attention_mask"], "mask", {"to": TensorProto.FLOAT}),
            ("Unsqueeze", ["mask", "last"], "column", {}),
            ("Mul", ["meanings", "column"], "kept", {}),
            ("ReduceSum", ["kept", "words"], "text_embeds", {"keepdims": 0}),
        ],
        {"table": table, "last": np.array([2], np.int64), "words": np.array([1], np.int64)},
    )


def siglip() -> tuple[Graph, Graph]:
    """An image encoder and a text tower by `pooler_output`, which has a place for each token and no mask."""
    image, text = clip_image(), clip_text()
    *nodes, (operator, inputs, _, attributes) = image.nodes
    image = Graph(
        image.inputs, {"pooler_output": ["batch_size", WIDTH]},
        [*nodes, (operator, inputs, "pooler_output", attributes)], image.arrays,
    )  # fmt: skip
    arrays: Arrays = {
        "table": text.arrays["table"], "places": np.zeros((1, MAX_TOKENS, WIDTH), np.float32),
        "words": np.array([1], np.int64), "zero": np.array([0], np.int64),
    }  # fmt: skip
    text = Graph(
        {"input_ids": text.inputs["input_ids"]},
        {"pooler_output": ["batch_size", WIDTH]},
        [
            ("Gather", ["table", "input_ids"], "meanings", {"axis": 0}),
            ("Shape", ["input_ids"], "length", {"start": 1, "end": 2}),
            ("Slice", ["places", "zero", "length", "words"], "first", {}),
            ("Add", ["meanings", "first"], "placed", {}),
            ("ReduceSum", ["placed", "words"], "pooler_output", {"keepdims": 0}),
        ],
        arrays,
    )
    return image, text


def tokenizer(words: Sequence[str] = WORDS) -> Tokenizer:
    """Words as they are, in lower case."""
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def write_preprocessing(folder: Path, **changed: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {key: value for key, value in {**CLIP_PREPROCESSING, **changed}.items() if value != "unset"}
    (folder / "preprocessor_config.json").write_text(json.dumps(config))


def write_vision(folder: Path, graph: Graph, name: str = "onnx/model.onnx", external: bool = False) -> Path:
    """A model of pictures alone."""
    write_preprocessing(folder)
    graph.save(folder / name, external)
    return folder


def write_clip(folder: Path) -> Path:
    """A model of pictures and words, as Transformers.js has it."""
    write_vision(folder, clip_image(), "onnx/vision_model.onnx")
    clip_text().save(folder / "onnx" / "text_model.onnx")
    tokenizer().save(str(folder / "tokenizer.json"))
    config = {"model_max_length": MAX_TOKENS, "pad_token": "<pad>", "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def write_siglip(folder: Path) -> Path:
    """As SigLIP 2 is published: its tokenizer knows case, and no limit."""
    image, text = siglip()
    write_preprocessing(folder, processor_class="SiglipProcessor")
    image.save(folder / "onnx" / "vision_model.onnx")
    text.save(folder / "onnx" / "text_model.onnx")
    made = tokenizer()
    made.normalizer = None
    made.save(str(folder / "tokenizer.json"))
    config = {"model_max_length": 10**30, "pad_token": "<pad>", "tokenizer_class": "GemmaTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """images: shape=(B, H, W, 3). Returns what the networks take, shape=(B, 3, H, W)."""
    return _normalised(images.astype(np.float32)).transpose(0, 3, 1, 2)


def _normalised(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    return ((rgb / 255 - MEAN) / DEVIATION).astype(np.float32)


def _projection() -> NDArray[np.float32]:
    return _normal(np.random.default_rng(17), 3, WIDTH)


def _normal(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return rng.standard_normal(shape, np.float32)
