from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from imagesearch.backbones import ModelIdentity
from imagesearch.backbones.base import Card
from imagesearch.backbones.cards import EFFICIENTNET_LITE0, VGG16
from imagesearch.backbones.converted import exclusively, file_names, folder_of, open_converted, publish
from imagesearch.backbones.making import ModelChoice, conversion, prepare, prepare_model
from imagesearch.backbones.making.prepare import packaged_efficientnet
from imagesearch.backbones.making.weights import PublishedFile
from imagesearch.errors import ModelDamaged, ModelUnavailable, StoreFull
from tests.conftest import REPOSITORY
from tests.imagesearch.backbones.conftest import Prepared
from tests.imagesearch.backbones.file_server import FileServer, serving

UNREACHABLE = PublishedFile(
    "http://127.0.0.1:9/vgg16.h5", "md5:" + "0" * 32
)  # the discard port: nobody listens
VGG16_IDENTITY = ModelIdentity("vgg16", "ab" * 32, "keras-vgg16-224-bicubic-3")


@pytest.fixture
def models_dir(efficientnet: Prepared, tmp_path: Path) -> Path:
    """A store's models with the network converted."""
    return Path(shutil.copytree(efficientnet.models_dir, tmp_path / "models"))


@pytest.fixture
def no_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "find_spec", lambda name: None)


def publish_vgg16(models_dir: Path, own_weights: bool) -> None:
    def write_ir(folder: Path) -> Card:
        for name in file_names(VGG16):
            (folder / name).touch()
        return VGG16

    with exclusively(models_dir):
        publish(models_dir, VGG16_IDENTITY, own_weights, write_ir)


def test_a_network_is_known_by_its_weights(efficientnet: Prepared) -> None:
    digest = hashlib.sha256(packaged_efficientnet().read_bytes()).hexdigest()
    preprocessing = "efficientnet-lite0-224-bicubic-2"
    assert efficientnet.identity == ModelIdentity("efficientnet-lite0", digest, preprocessing)
    assert EFFICIENTNET_LITE0.digest == f"sha256:{digest}"


def test_what_is_converted_is_not_converted_again(models_dir: Path, no_conversion: None) -> None:
    assert prepare_model("efficientnet-lite0", models_dir).note == ""


def test_a_damaged_model_is_converted_anew(models_dir: Path, efficientnet: Prepared) -> None:
    weights = folder_of(models_dir, efficientnet.identity) / "embedding.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    progress: list[tuple[str, int, int]] = []
    choice = prepare_model("efficientnet-lite0", models_dir, progress=lambda *step: progress.append(step))
    assert choice.identity == efficientnet.identity
    open_converted(models_dir, efficientnet.identity)
    assert progress == [("converting", 0, 1), ("converting", 1, 1)]


def test_two_processes_at_once_end_with_one_whole_model(tmp_path: Path, efficientnet: Prepared) -> None:
    program = """
import sys
from pathlib import Path
from imagesearch.backbones.making.prepare import packaged_efficientnet
from imagesearch.backbones.making import prepare_model
sys.stdout.write(prepare_model("efficientnet-lite0", Path(sys.argv[1])).identity.digest)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "models")]
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate()[0] for process in processes]
    assert answers == [efficientnet.identity.digest] * 2
    folder = open_converted(tmp_path / "models", efficientnet.identity).folder
    assert sorted((tmp_path / "models").iterdir()) == [tmp_path / "models" / ".lock", folder]


def test_auto_without_the_web_is_efficientnet_and_says_so(
    models_dir: Path, efficientnet: Prepared, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    choice = prepare_model("auto", models_dir, published=UNREACHABLE)
    note = "EfficientNet-Lite0 (ImageNet). For VGG16 run make weights."
    assert choice == ModelChoice(efficientnet.identity, note)
    assert "127.0.0.1 refused the connection" in caplog.text


def test_auto_asks_the_network_once(models_dir: Path) -> None:
    with serving(FileServer(b"", status=404)) as server:
        published = PublishedFile(server.url, "md5:" + "0" * 32)
        choices = [prepare_model("auto", models_dir, published=published) for _ in range(3)]
        assert len(server.requested_ranges) == 1
    assert choices[0] == choices[1] == choices[2]


def test_auto_fetches_and_converts_what_it_can(models_dir: Path) -> None:
    """The file is damaged, which the conversion notices: it was fetched, checked and taken."""
    content = b"weights, to all appearances"
    with serving(FileServer(content)) as server:
        published = PublishedFile(server.url, f"md5:{hashlib.md5(content).hexdigest()}")
        with pytest.raises(ModelDamaged, match="weights.h5"):
            prepare_model("auto", models_dir, published=published)


@pytest.mark.parametrize("requested", ["auto", "vgg16"])
def test_a_converted_vgg16_needs_no_network(models_dir: Path, requested: str, no_conversion: None) -> None:
    publish_vgg16(models_dir, own_weights=False)
    choice = prepare_model(requested, models_dir, published=UNREACHABLE)
    assert choice.identity == VGG16_IDENTITY
    assert choice.note == (
        "" if requested == "vgg16" else "VGG16, because its published weights are at hand."
    )


@pytest.mark.parametrize("requested", ["auto", "vgg16"])
def test_weights_of_ones_own_are_named_as_such(models_dir: Path, requested: str) -> None:
    publish_vgg16(models_dir, own_weights=True)
    assert "not the published ones" in prepare_model(requested, models_dir, published=UNREACHABLE).note


def test_vgg16_that_cannot_be_fetched_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"refused the connection.*VGG16_WEIGHTS=FILE"):
        prepare_model("vgg16", tmp_path, published=UNREACHABLE)


def test_a_weights_file_that_is_not_vgg16_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="efficientnet-lite0-57934424.pth does not hold VGG16"):
        prepare_model("vgg16", tmp_path, vgg16_weights=packaged_efficientnet())


@pytest.mark.parametrize("requested", ["auto", "vgg16"])
def test_damaged_weights_given_by_the_user_are_told_not_replaced(tmp_path: Path, requested: str) -> None:
    (tmp_path / "mine.h5").write_bytes(b"not HDF5")
    with pytest.raises(ModelDamaged, match="mine.h5 is not a readable HDF5 file"):
        prepare_model(requested, tmp_path / "models", vgg16_weights=tmp_path / "mine.h5")


def test_a_model_by_file_is_taken_with_its_digest(
    models_dir: Path, efficientnet: Prepared, tmp_path: Path
) -> None:
    copied = shutil.copy(packaged_efficientnet(), tmp_path / "copied.pth")
    assert prepare_model(str(copied), models_dir).identity == efficientnet.identity


def test_a_misspelt_model_is_told_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="vgg17; give vgg16, efficientnet-lite0, auto"):
        prepare_model("vgg17", tmp_path)


def test_without_tensorflow_the_sentence_says_what_to_install(tmp_path: Path, no_conversion: None) -> None:
    with pytest.raises(ModelUnavailable, match="install requirements/convert.txt"):
        prepare_model("efficientnet-lite0", tmp_path)


def test_without_tensorflow_auto_takes_a_converted_efficientnet(
    models_dir: Path, no_conversion: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    choice = prepare_model("auto", models_dir, published=UNREACHABLE)
    assert choice.identity.name == "efficientnet-lite0"
    assert "TensorFlow" in caplog.text


def test_without_the_package_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="install requirements/convert.txt"):
        prepare_model("efficientnet-lite0", tmp_path)


def test_a_full_disk_is_told_with_how_much_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(StoreFull, match="needs 25 MB"):
        prepare_model("efficientnet-lite0", tmp_path)


def test_a_store_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ModelUnavailable, match="check its permissions"):
        prepare_model("efficientnet-lite0", tmp_path / "models")
