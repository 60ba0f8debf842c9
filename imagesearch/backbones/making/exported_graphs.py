"""From an exported graph to one that is served: its one output picked, its sizes fixed, its pixels bytes.

What a graph answers is tried on a picture or a sentence before it is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

from imagesearch.backbones.base import TEXT_OUTPUT, Card, TextTower
from imagesearch.backbones.converted import TOKENIZER_NAME
from imagesearch.backbones.making.model_folder import read_model_folder
from imagesearch.backbones.making.pixels import PixelScaling, with_pixels
from imagesearch.backbones.making.words import MAX_TOKENS, WordInput, write_tokenizer
from imagesearch.backbones.text import TextEncoder
from imagesearch.errors import ModelDamaged

IMAGE_OUTPUTS = ("image_embeds", "pooler_output", "last_hidden_state")
TEXT_OUTPUTS = {"image_embeds": "text_embeds", "pooler_output": "pooler_output"}
"""Which output of a text tower lies in the space of which output of the pictures."""
PIXELS, TOKENS, MASK = "pixel_values", "input_ids", "attention_mask"
CHANNELS = 3
KNOWN_WORDS = "a photo"


def convert_folder(source: Path, target: Path) -> Card:
    """Writes the graphs and the tokenizer of a model's folder as they are served. Raises ModelDamaged."""
    model = read_model_folder(source)
    pictures, output = image_graph(model.image_graph, model.card.input.size_px, model.scaling)
    ov.save_model(pictures, target / f"{model.card.descriptor}.xml", compress_to_fp16=False)
    if model.text_graph is None or model.words is None:
        return model.card
    dim = pictures.output().partial_shape[1].get_length()
    write_tokenizer(source / TOKENIZER_NAME, target / TOKENIZER_NAME, model.words)
    words, tower = text_graph(model.text_graph, target / TOKENIZER_NAME, model.words, output, dim)
    ov.save_model(words, target / f"{TEXT_OUTPUT}.xml", compress_to_fp16=False)
    return replace(model.card, text=tower)


def image_graph(path: Path, size_px: int, scaling: PixelScaling) -> tuple[ov.Model, str]:
    """From bytes, shape=(B, size_px, size_px, 3), to embeddings, shape=(B, D), and which output these are.

    Raises ModelDamaged.
    """
    model = _read(path)
    output = next((name for name in IMAGE_OUTPUTS if _has(model.outputs, name)), None)
    if output is None or not _has(model.inputs, PIXELS):
        raise ModelDamaged(
            f"{path.name} is no image encoder: it must take {PIXELS} and answer {_or(IMAGE_OUTPUTS)}."
        )
    pixels = model.input(PIXELS).node
    embedding = _vector(path, _answer(model, output), output)
    shape = ov.PartialShape([-1, CHANNELS, size_px, size_px])
    graph = with_pixels(_reshaped(path, _cut(path, [pixels], embedding), {PIXELS: shape}), scaling, "NCHW")
    noise = np.random.default_rng(0).integers(0, 256, (2, size_px, size_px, CHANNELS), np.uint8)
    with _running(path):
        answers = ov.compile_model(graph, "CPU")([noise])[0]
    _check_answers(path, answers)
    return graph, output


def text_graph(
    path: Path, tokenizer_file: Path, words: WordInput, image_output: str, dim: int
) -> tuple[ov.Model, TextTower]:
    """From tokens, shape=(1, T), and their mask where it takes one, to embeddings, shape=(1, dim).

    Raises ModelDamaged, also where the vectors do not lie in the space of the pictures.
    """
    model = _read(path)
    output = TEXT_OUTPUTS.get(image_output, "")
    if not _has(model.outputs, output) or not _has(model.inputs, TOKENS):
        raise ModelDamaged(
            f"{path.name} is not the text tower of this image encoder: it must take {TOKENS} and answer "
            f"{output or 'text_embeds, and the encoder image_embeds'}."
        )
    names = [name for name in (TOKENS, MASK) if _has(model.inputs, name)]
    _check_vocabulary(path, model, words)
    graph = _cut(path, [model.input(name).node for name in names], _answer(model, output))
    tower = _tower(path, words, graph, names)
    graph = _reshaped(path, graph, dict.fromkeys(names, ov.PartialShape([1, tower.max_tokens])))
    if graph.output().partial_shape != ov.PartialShape([1, dim]):
        raise ModelDamaged(
            f"{path.name} describes words by {graph.output().partial_shape} values and the image encoder "
            f"pictures by {dim}: they are not of one model."
        )
    with _running(path):
        request = ov.compile_model(graph, "CPU").create_infer_request()
        answer = TextEncoder(request, tokenizer_file, tower).embed(KNOWN_WORDS)
    _check_answers(path, answer[np.newaxis])
    return graph, tower


def _read(path: Path) -> ov.Model:
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        unknown = re.search(r"rule found for operations?: ([^\n]+)", str(error))
        if unknown:
            raise ModelDamaged(
                f"{path.name} uses operators that OpenVINO does not know ({unknown[1].strip()}): "
                "export it with others."
            ) from error
        raise ModelDamaged(
            f"{path.name} is no graph that OpenVINO reads; export or copy it again."
        ) from error


def _has(ports: list[ov.Output], name: str) -> bool:
    return any(name in port.get_names() for port in ports)


def _answer(model: ov.Model, name: str) -> ov.Output:
    return model.output(name).get_node().input_value(0)


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _vector(path: Path, output: ov.Output, name: str) -> ov.Output:
    """The output as one vector for each picture: the class token of a transformer, a pooled map flattened."""
    rank = output.partial_shape.rank
    if rank.is_dynamic:
        raise ModelDamaged(f"{path.name} does not say which shape its {name} has; export it again.")
    if rank.get_length() == 2:
        return output
    if name == "last_hidden_state" and rank.get_length() == 3:
        return ops.gather(output, ops.constant(np.int64(0)), ops.constant(np.int64(1))).output(0)
    if name == "pooler_output" and rank.get_length() == 4:
        return ops.squeeze(output, ops.constant(np.array([2, 3], np.int64))).output(0)
    raise ModelDamaged(f"{path.name} answers {name} of {rank.get_length()} dimensions, which is no vector.")


def _cut(path: Path, inputs: list[ov.Node], output: ov.Output) -> ov.Model:
    try:
        return ov.Model([ops.result(output)], inputs)
    except RuntimeError as error:
        raise ModelDamaged(
            f"{path.name} takes more than its {' and '.join(node.get_friendly_name() for node in inputs)}; "
            "export the image encoder and the text tower one by one."
        ) from error


def _reshaped(path: Path, model: ov.Model, shapes: dict[str, ov.PartialShape]) -> ov.Model:
    wanted = " and ".join(f"{name} {shape}" for name, shape in shapes.items())
    refused = ModelDamaged(
        f"{path.name} cannot take {wanted}: export it for this size, pictures in batches of any size."
    )
    try:
        model.reshape(shapes)
    except RuntimeError as error:
        raise refused from error
    shape, batch = model.output().partial_shape, next(iter(shapes.values()))[0]
    if len(shape) != 2 or shape[0].is_dynamic != batch.is_dynamic or shape[1].is_dynamic:
        raise refused
    return model


def _tower(path: Path, words: WordInput, graph: ov.Model, names: list[str]) -> TextTower:
    max_tokens = _own_length(graph) or words.max_tokens or _longest(graph, names)
    if max_tokens is None:
        raise ModelDamaged(
            "tokenizer_config.json must say with model_max_length how many tokens the model takes."
        )
    if words.pad_id is None and MASK not in names:
        raise ModelDamaged(
            f"tokenizer_config.json must name the pad_token, with which {path.name} takes short texts."
        )
    return TextTower(max_tokens, words.pad_id or 0)


def _own_length(graph: ov.Model) -> int | None:
    """Tokens that the graph takes, where it takes one number of them only."""
    shape = graph.input(TOKENS).partial_shape
    return int(shape[1].get_length()) if len(shape) == 2 and shape[1].is_static else None


def _longest(graph: ov.Model, names: list[str]) -> int | None:
    """The most tokens that the graph has places for; None where it sets no limit."""
    fits, too_many = 0, MAX_TOKENS + 1
    while too_many - fits > 1:
        length = (fits + too_many) // 2
        try:
            graph.reshape(dict.fromkeys(names, ov.PartialShape([1, length])))
            fits = length
        except RuntimeError:
            too_many = length
    return fits if 0 < fits < MAX_TOKENS else None


def _check_vocabulary(path: Path, model: ov.Model, words: WordInput) -> None:
    """Rows of the table that tokens are looked up in; a token beyond it would be described by anything."""
    ports = list(model.input(TOKENS).get_target_inputs())
    while ports:
        node = ports.pop().get_node()
        if node.get_type_name() == "Gather":
            rows = node.input(0).get_partial_shape()[0]
            if rows.is_static and rows.get_length() < words.vocabulary:
                raise ModelDamaged(
                    f"tokenizer.json has {words.vocabulary} tokens, but {path.name} knows "
                    f"{rows.get_length()}: they are not of one model."
                )
        elif node.get_type_name() == "Convert":
            ports += node.output(0).get_target_inputs()


@contextmanager
def _running(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ModelDamaged(f"{path.name} cannot be run by OpenVINO; export it again.") from error


def _check_answers(path: Path, answers: NDArray[np.float32]) -> None:
    """answers: shape=(B, D), each to another question."""
    if not np.isfinite(answers).all() or not np.linalg.norm(answers, axis=1).all():
        raise ModelDamaged(f"{path.name} answers nothing, or no numbers; export it again.")
    if len(answers) > 1 and np.ptp(answers, axis=0).max() == 0:
        raise ModelDamaged(f"{path.name} answers the same for every picture; export it again.")
