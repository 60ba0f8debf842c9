"""A folder in Hugging Face's layout becomes a network, or one sentence says why not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from imagesearch.backbones import Backbone, ModelIdentity, Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.errors import ImageSearchError, ModelDamaged
from tests import model_folders as small

PICTURES: NDArray[np.uint8] = np.random.default_rng(3).integers(
    0, 256, (3, small.SIZE_PX, small.SIZE_PX, 3), np.uint8
)


def prepared(folder: Path, tmp_path: Path) -> ModelIdentity:
    return prepare_model(str(folder), tmp_path / "models").identity


def loaded(folder: Path, tmp_path: Path) -> Backbone:
    return load_backbone(tmp_path / "models", prepared(folder, tmp_path), Precision.F32, threads=1)


def test_a_transformers_class_token_describes(tmp_path: Path) -> None:
    graph = small.vit()
    network = loaded(small.write_vision(tmp_path / "Tiny_ViT", graph), tmp_path)
    expected = small.vit_by_numpy(small.normalised(PICTURES), graph.arrays)
    np.testing.assert_allclose(network.embed(PICTURES), expected, rtol=1e-4, atol=1e-4)
    assert network.card.name == "tiny-vit"
    assert network.card.title == "Tiny_ViT"
    assert network.dim == small.WIDTH
    assert not network.card.text


def test_a_pooled_map_describes(tmp_path: Path) -> None:
    graph = small.convolutional()
    network = loaded(small.write_vision(tmp_path / "resnet", graph, "model.onnx"), tmp_path)
    pixels = small.normalised(PICTURES)
    side = small.SIZE_PX // small.PATCH_PX
    cells = pixels.reshape(3, 3, side, small.PATCH_PX, side, small.PATCH_PX)
    maps = np.einsum("bciyjx,dcyx->bdij", cells, graph.arrays["kernels"])
    np.testing.assert_allclose(
        network.embed(PICTURES), np.maximum(maps, 0).mean((2, 3)), rtol=1e-4, atol=1e-5
    )


def test_words_and_pictures_share_a_space(tmp_path: Path) -> None:
    network = loaded(small.write_clip(tmp_path / "clip"), tmp_path)
    for word, rgb in small.COLOURS.items():
        picture = np.full((1, small.SIZE_PX, small.SIZE_PX, 3), rgb, np.uint8)
        text, image = network.embed_text(f"{word.upper()}"), network.embed(picture)[0]
        np.testing.assert_allclose(text, image, rtol=1e-4, atol=1e-4)


def test_words_of_siglip_2_are_taken_in_lower_case_and_cut_where_its_places_end(tmp_path: Path) -> None:
    network = loaded(small.write_siglip(tmp_path / "siglip2"), tmp_path)
    assert network.card.text
    assert network.card.text.max_tokens == small.MAX_TOKENS
    np.testing.assert_array_equal(network.embed_text("RED Photo"), network.embed_text("red photo"))
    cut = " ".join(["red"] * small.MAX_TOKENS)
    np.testing.assert_array_equal(network.embed_text(f"{cut} blue"), network.embed_text(cut))
    assert not np.array_equal(network.embed_text("red"), network.embed_text("blue"))


@pytest.mark.parametrize("text", ["photo " * 5_000, "🦊 photo", "写真 photo", "photo\n\t\0photo"])
def test_any_words_give_a_vector(tmp_path: Path, text: str) -> None:
    network = loaded(small.write_clip(tmp_path / "clip"), tmp_path)
    assert np.isfinite(network.embed_text(text)).all()
    assert network.embed_text(text).shape == (small.WIDTH,)


def test_weights_may_lie_in_a_second_file(tmp_path: Path) -> None:
    together = loaded(small.write_vision(tmp_path / "one", small.vit()), tmp_path)
    apart = loaded(small.write_vision(tmp_path / "two", small.vit(), external=True), tmp_path)
    np.testing.assert_array_equal(together.embed(PICTURES), apart.embed(PICTURES))
    data = tmp_path / "two" / "onnx" / "model.onnx_data"
    before = prepared(tmp_path / "two", tmp_path)
    data.write_bytes(data.read_bytes().replace(data.read_bytes()[:4], b"\0\0\0\0", 1))
    assert prepared(tmp_path / "two", tmp_path / "again").digest != before.digest


def test_an_openvino_graph_serves_as_an_onnx_one_does(tmp_path: Path) -> None:
    import openvino as ov

    onnx_folder = small.write_vision(tmp_path / "onnx", small.vit())
    folder = tmp_path / "ir"
    small.write_preprocessing(folder)
    ov.save_model(
        ov.Core().read_model(onnx_folder / "onnx" / "model.onnx"), folder / "openvino_model.xml", False
    )
    np.testing.assert_allclose(
        loaded(folder, tmp_path).embed(PICTURES), loaded(onnx_folder, tmp_path).embed(PICTURES), atol=1e-5
    )


def test_one_graph_may_hold_both_towers(tmp_path: Path) -> None:
    folder = small.write_clip(tmp_path / "clip")
    apart = loaded(folder, tmp_path)
    image, text = small.clip_image(), small.clip_text()
    both = small.Graph(
        {**image.inputs, **text.inputs}, {**image.outputs, **text.outputs}, [*image.nodes, *text.nodes],
        {**image.arrays, **text.arrays},
    )  # fmt: skip
    whole = small.write_vision(tmp_path / "whole", both, "model.onnx")
    assert not loaded(whole, tmp_path).card.text, "without a tokenizer there are no words"
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, whole / name)
    together = loaded(whole, tmp_path)
    np.testing.assert_allclose(together.embed(PICTURES), apart.embed(PICTURES), atol=1e-5)
    np.testing.assert_allclose(together.embed_text("red"), apart.embed_text("red"), atol=1e-5)


def test_a_folder_is_known_by_all_its_files(tmp_path: Path) -> None:
    folder = small.write_clip(tmp_path / "clip")
    identities = [prepared(folder, tmp_path)]
    small.write_preprocessing(folder, resample=2)
    identities.append(prepared(folder, tmp_path))
    small.tokenizer([*small.WORDS[:-1], "noir"]).save(str(folder / "tokenizer.json"))
    identities.append(prepared(folder, tmp_path))
    small.clip_text(vocabulary=20).save(folder / "onnx" / "text_model.onnx")
    identities.append(prepared(folder, tmp_path))
    assert len({identity.digest for identity in identities}) == len(identities)


def test_what_serves_does_not_need_the_folder(tmp_path: Path) -> None:
    folder = small.write_clip(tmp_path / "clip")
    identity = prepared(folder, tmp_path)
    folder.rename(tmp_path / "moved")
    network = load_backbone(tmp_path / "models", identity, Precision.F32, threads=1)
    assert network.embed_text("red").shape == (small.WIDTH,)


def spoil_config(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()


def spoil_graph(folder: Path) -> None:
    graph = folder / "onnx" / "vision_model.onnx"
    graph.write_bytes(graph.read_bytes()[:100])


def drop_graph(folder: Path) -> None:
    (folder / "onnx" / "vision_model.onnx").unlink()


def unknown_operator(folder: Path) -> None:
    graph = small.clip_image()
    nodes = [("Mystery", ["pixel_values"], "strange", {}), *graph.nodes[1:]]
    nodes[1] = ("Flatten", ["strange"], "colours", {"axis": 1})
    small.Graph(graph.inputs, graph.outputs, nodes, graph.arrays).save(folder / "onnx" / "vision_model.onnx")


def unknown_output(folder: Path) -> None:
    graph = small.clip_image()
    *nodes, (operator, inputs, _, attributes) = graph.nodes
    renamed = small.Graph(
        graph.inputs, {"logits": ["batch_size", small.WIDTH]},
        [*nodes, (operator, inputs, "logits", attributes)], graph.arrays,
    )  # fmt: skip
    renamed.save(folder / "onnx" / "vision_model.onnx")


def other_size(folder: Path) -> None:
    small.vit().save(folder / "onnx" / "vision_model.onnx")
    size = {"height": 2 * small.SIZE_PX, "width": 2 * small.SIZE_PX}
    small.write_preprocessing(folder, size=size, do_center_crop=False)


def not_a_number(folder: Path) -> None:
    graph = small.clip_image()
    arrays = {"projection": np.full_like(graph.arrays["projection"], np.nan)}
    small.Graph(graph.inputs, graph.outputs, graph.nodes, arrays).save(folder / "onnx" / "vision_model.onnx")


def deaf(folder: Path) -> None:
    """It answers the same whatever it sees."""
    graph = small.clip_image()
    nodes = [*graph.nodes[:-1], ("MatMul", ["colours", "projection"], "nothing", {})]
    nodes += [("Mul", ["nothing", "zero"], "zeros", {}), ("Add", ["zeros", "one"], "image_embeds", {})]
    arrays = {**graph.arrays, "zero": np.zeros(1, np.float32), "one": np.ones(1, np.float32)}
    small.Graph(graph.inputs, graph.outputs, nodes, arrays).save(folder / "onnx" / "vision_model.onnx")


def lost_weights(folder: Path) -> None:
    small.clip_image().save(folder / "onnx" / "vision_model.onnx", external=True)
    (folder / "onnx" / "vision_model.onnx_data").unlink()


def weights_elsewhere(folder: Path) -> None:
    path = folder / "onnx" / "vision_model.onnx"
    small.clip_image().save(path, external=True)
    model = onnx.load_model(path, load_external_data=False)
    for array in model.graph.initializer:
        for entry in array.external_data:
            if entry.key == "location":
                entry.value = "../../../etc/hostname"
    path.write_bytes(model.SerializeToString())


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')


def larger_tokenizer(folder: Path) -> None:
    small.tokenizer([*small.WORDS, *(f"word{number}" for number in range(90))]).save(
        str(folder / "tokenizer.json")
    )


def other_width(folder: Path) -> None:
    small.clip_text(width=small.WIDTH + 4).save(folder / "onnx" / "text_model.onnx")


def pooled_words(folder: Path) -> None:
    graph = small.clip_text()
    *nodes, (operator, inputs, _, attributes) = graph.nodes
    renamed = small.Graph(
        graph.inputs, {"pooler_output": ["batch_size", small.WIDTH]},
        [*nodes, (operator, inputs, "pooler_output", attributes)], graph.arrays,
    )  # fmt: skip
    renamed.save(folder / "onnx" / "text_model.onnx")


def endless_texts(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 10**30, "pad_token": "<pad>"})
    )


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_config, "holds no preprocessor_config.json"),
        (drop_graph, "holds no graph"),
        (spoil_graph, "vision_model.onnx is no graph that OpenVINO reads"),
        (unknown_operator, "vision_model.onnx uses operators that OpenVINO does not know.*Mystery"),
        (unknown_output, "vision_model.onnx is no image encoder"),
        (other_size, "vision_model.onnx cannot take pixel_values"),
        (not_a_number, "vision_model.onnx answers nothing, or no numbers"),
        (deaf, "the same for every picture"),
        (lost_weights, "vision_model.onnx_data, which is missing"),
        (weights_elsewhere, "outside its folder"),
        (no_tokenizer, "no tokenizer.json"),
        (broken_tokenizer, "tokenizer.json is no tokenizer"),
        (larger_tokenizer, "not of one model"),
        (other_width, "not of one model"),
        (pooled_words, "is not the text tower of this image encoder"),
        (endless_texts, "model_max_length"),
    ],
)
def test_a_folder_that_will_not_do_is_refused_by_what_is_wrong(
    tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    folder = small.write_clip(tmp_path / "clip")
    spoil(folder)
    with pytest.raises(ModelDamaged, match=sentence) as raised:
        prepared(folder, tmp_path)
    assert str(tmp_path) not in str(raised.value)
    assert not [path for path in (tmp_path / "models").iterdir() if path.name != ".lock"]


def test_a_folder_named_as_a_known_network_is_not_taken_for_it(tmp_path: Path) -> None:
    folder = small.write_vision(tmp_path / "VGG16", small.vit())
    assert prepared(folder, tmp_path).name == "vgg16-folder"


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageSearchError, match="preprocessor_config.json"):
        prepared(tmp_path / "empty", tmp_path)
