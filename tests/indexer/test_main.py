"""The command line, run in this process with a fake network."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagesearch.store.durable import exclusive
from indexer.__main__ import main
from indexer.settings import IndexerSettings
from tests.indexer.conftest import Workplace
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw, draw_damaged, draw_many


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("INDEXER_") or name == "VGG16_WEIGHTS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INDEXER_WORKERS", "1")


def run(workplace: Workplace, command: str, *arguments: str) -> int:
    given = ["--store", str(workplace.store), *arguments]
    if command == "build":
        given += ["--images", str(workplace.images)]
    return main([command, *given], provide=lambda settings: FakeNetworks())


def run_json(workplace: Workplace, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(workplace, *arguments, "--json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    answer: dict[str, Any] = json.loads(lines[0])
    return answer


def fails(workplace: Workplace, capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    """The one line it complains with."""
    assert run(workplace, *arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    complaint = [line for line in said.err.splitlines() if line.startswith("indexer: ")]
    assert len(complaint) == 1
    return complaint[0]


def test_a_build_says_what_it_did(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    draw_many(workplace.images, range(3))
    (workplace.images / "bad.jpg").write_bytes(b"no picture")
    (workplace.images / "notes.txt").write_bytes(b"no photo")
    assert run(workplace, "build") == 0
    said = capsys.readouterr().out
    assert "3 added, 0 changed, 0 kept, 0 dropped, 1 refused; 1 other files ignored." in said
    assert "damaged" not in said
    assert "refused bad.jpg: The file is not an image of an accepted type" in said
    assert re.search(r"3 images described at [\d.]+ photos a second; [\d.]+ s in all\.", said)
    assert "Snapshot 000001 is live" in said
    assert "The fake one, because this is a test." in said


def test_a_build_names_the_kinds_that_it_leaves_out(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(2))
    assert run_json(workplace, capsys, "build")["left_out"] == {}
    for name in ("a.dng", "b.NEF", "c.cr3"):
        (workplace.images / name).write_bytes(b"by its name")
    for name in ("d.psd", "notes.txt"):
        (workplace.images / name).write_bytes(b"8BPS\0\1" + bytes(50))
    (workplace.images / "e.jpg").write_bytes(b"8BPS\0\1" + bytes(50))
    (workplace.images / "f.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert run(workplace, "build") == 0
    said = capsys.readouterr().out
    assert (
        "\nOf kinds that are not accepted: 3 × camera's raw file, 2 × Photoshop document, 1 × SVG drawing.\n"
        in said
    )
    kinds = {"camera's raw file": 3, "Photoshop document": 2, "SVG drawing": 1}
    assert run_json(workplace, capsys, "build")["left_out"] == kinds, "said by every build"


def test_a_build_counts_damaged_photos(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    draw_damaged(workplace.images / "a.png", 1)
    assert run(workplace, "build") == 0
    assert "\n1 photo is damaged, and indexed as far as it shows.\n" in capsys.readouterr().out
    draw_damaged(workplace.images / "b.png", 2)
    assert run(workplace, "build") == 0
    assert "\n2 photos are damaged, and indexed as far as they show.\n" in capsys.readouterr().out


def test_a_build_answers_a_script_with_one_json_object(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(3))
    (workplace.images / "bad.jpg").write_bytes(b"")
    answer = run_json(workplace, capsys, "build")
    assert (answer["added"], answer["refused"], answer["snapshot"], answer["published"]) == (
        3,
        1,
        "000001",
        True,
    )
    assert [file["path"] for file in answer["refused_first"]] == ["bad.jpg"]
    assert run_json(workplace, capsys, "build")["published"] is False


def test_twenty_refused_files_are_named_and_the_rest_counted(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(workplace.images / "good.png", 1)
    for number in range(25):
        (workplace.images / f"bad{number:02d}.jpg").write_bytes(b"")
    assert run(workplace, "build") == 0
    said = capsys.readouterr().out
    assert said.count("  refused bad") == 20
    assert "… and 5 more" in said


def test_status_tells_what_the_store_holds(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    draw_many(workplace.images, range(3))
    draw(workplace.images / "copy.png", 1)
    run(workplace, "build")
    capsys.readouterr()
    answer = run_json(workplace, capsys, "status")
    assert (answer["images"], answer["files"], answer["snapshot"], answer["unpublished"]) == (
        3,
        4,
        "000001",
        False,
    )
    assert (answer["model"]["name"], answer["descriptor"], answer["dim"]) == ("fake", "fc6", 48)
    assert run(workplace, "status") == 0
    assert "3 images in 4 files, 0 files refused." in capsys.readouterr().out


def test_status_tells_that_a_build_was_interrupted(
    workplace: Workplace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(3))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("indexer.publication.publish", interrupt)
        assert run(workplace, "build") == 130
    capsys.readouterr()
    assert run(workplace, "status") == 0
    said = capsys.readouterr().out
    assert "Nothing published yet" in said and "run build" in said


def test_verify_is_silent_about_a_whole_store_and_fails_on_a_damaged_one(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(3))
    run(workplace, "build")
    capsys.readouterr()
    assert run_json(workplace, capsys, "verify") == {"damage": []}
    path = workplace.layout.snapshot_dir("000001") / "segment-0.descriptors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x77")
    assert run(workplace, "verify") == 1
    assert "000001/segment-0.descriptors.npy does not hash" in capsys.readouterr().out


def test_prune_keeps_the_newest(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(4):
        draw(workplace.images / f"{seed}.png", seed)
        run(workplace, "build")
    capsys.readouterr()
    assert run_json(workplace, capsys, "prune", "--keep", "2") == {
        "removed": ["000001", "000002"],
        "dropped": [],
    }
    assert run_json(workplace, capsys, "prune") == {"removed": ["000003"], "dropped": []}
    assert len(workplace.indexed()) == 4


def test_weights_prepares_vgg16_in_the_store(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = FakeNetworks()
    code = main(["weights", "--store", str(workplace.store)], provide=lambda settings: networks)
    assert (code, networks.prepared) == (1, ["vgg16"])
    assert capsys.readouterr().err == "indexer: There is no model vgg16.\n"


@pytest.mark.parametrize("command", ["status", "verify", "prune"])
def test_a_missing_store_is_told(
    workplace: Workplace, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert "no store" in fails(workplace, capsys, 1, command)
    assert not workplace.store.exists()


def test_a_busy_store_is_told(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    draw_many(workplace.images, range(2))
    with exclusive(workplace.layout):
        assert "Another indexer" in fails(workplace, capsys, 1, "build")


def test_a_missing_and_an_empty_folder_are_told(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no photos" in fails(workplace, capsys, 1, "build")
    workplace.images.rmdir()
    assert "no folder" in fails(workplace, capsys, 1, "build")


def test_a_store_that_cannot_be_written_is_told(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(2))
    workplace.store.write_bytes(b"a file where the store should be")
    assert "cannot be used" in fails(workplace, capsys, 1, "build")


def test_a_ledger_damaged_inside_is_told_and_a_rebuild_mends_it(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(60))
    run(workplace, "build")
    capsys.readouterr()
    content = bytearray(workplace.layout.ledger_path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    workplace.layout.ledger_path.write_bytes(content)
    assert "--rebuild" in fails(workplace, capsys, 1, "build")
    assert run(workplace, "build", "--rebuild") == 0
    assert run(workplace, "verify") == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INDEXER_WORKERS", "-1"),
        ("INDEXER_PRECISION", "f64"),
        ("INDEXER_INDEX", "magic"),
        ("INDEXER_LOCAL_FEATURES", "maybe"),
        ("INDEXER_MAX_PIXELS", "many"),
        ("INDEXER_DECODE_TIMEOUT_S", "0"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(
    workplace: Workplace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert name in fails(workplace, capsys, 2, "build")


def test_an_option_that_is_not_there_is_bad_usage(
    workplace: Workplace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(2))
    monkeypatch.setenv("INDEXER_DESCRIPTOR", "psychic")
    assert "INDEXER_DESCRIPTOR: Input should be 'auto', 'fc6'" in fails(workplace, capsys, 2, "build")


@pytest.mark.parametrize(
    "arguments", [[], ["frobnicate"], ["build", "--keep", "1"], ["prune", "--keep", "0"]]
)
def test_bad_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("given", ["abc", "0", "-1", "1.5", ""])
def test_a_number_that_is_none_is_told_in_plain_words(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["prune", "--keep", given])
    said = capsys.readouterr().err
    assert said.endswith("argument --keep: it must be a whole number from 1 up\n")


@pytest.mark.parametrize("option", ["--images", "--store"])
def test_an_empty_name_of_a_folder_is_bad_usage_and_not_the_current_folder(
    option: str, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(in_folder, range(2))
    with pytest.raises(SystemExit) as ended:
        main(["build", option, ""], provide=lambda settings: FakeNetworks())
    assert ended.value.code == 2
    assert f"argument {option}: it names no folder" in capsys.readouterr().err
    assert not (in_folder / "store").exists()


def test_help_names_the_exit_codes_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "0 fine, 1 failed, 2 bad usage, 130 interrupted" in said
    for name in IndexerSettings.model_fields:
        assert f"INDEXER_{name.upper()}" in said or name.upper() in said
    assert "VGG16_WEIGHTS" in said


@pytest.fixture
def in_folder(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(workplace.store.parent)
    yield workplace.store.parent


def test_the_environment_names_the_folders_and_the_command_line_goes_before_it(
    workplace: Workplace, in_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(2))
    monkeypatch.setenv("INDEXER_IMAGES_DIR", "images")
    monkeypatch.setenv("INDEXER_STORE_DIR", "elsewhere")
    assert main(["build"], provide=lambda settings: FakeNetworks()) == 0
    assert (in_folder / "elsewhere" / "CURRENT").is_file()
    assert main(["build", "--store", "here"], provide=lambda settings: FakeNetworks()) == 0
    assert (in_folder / "here" / "CURRENT").is_file()
