"""Folders of any name reach the programs as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
NAMES = ["it's", "$5 & more", '"quoted" (2019)', "$$HOME", "#1; `ls`", "a\\b", "写真"]
NOTE = f"""#!{sys.executable}
import json, os, sys
names = ("INDEXER_IMAGES_DIR", "INDEXER_STORE_DIR", "IMAGES", "STORE", "VGG16_WEIGHTS")
with open(os.environ["NOTE"], "a") as note:
    note.write(json.dumps({{name: os.environ.get(name) for name in names}}) + "\\n")
"""


def noted(tmp_path: Path, target: str, *variables: str, **environment: str) -> dict[str, str]:
    """What the last program that `make` starts reads in its environment. Python and docker are doubles."""
    for name in ("python", "docker"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(NOTE)
        program.chmod(0o755)
    note = tmp_path / "note"
    given = {"NOTE": str(note), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"} | environment
    command = [
        "make",
        "-C",
        str(REPOSITORY),
        target,
        f"PY={tmp_path / 'bin' / 'python'}",
        "READY=",
        *variables,
    ]
    subprocess.run(command, check=True, capture_output=True, env=given)
    environ: dict[str, str] = json.loads(note.read_text().splitlines()[-1])
    return environ


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", ["index", "run", "up"])
def test_a_folder_of_any_name_can_be_indexed(tmp_path: Path, target: str, name: str) -> None:
    images, store = tmp_path / f"images {name}", tmp_path / f"store {name}"
    images.mkdir()
    store.mkdir()
    variables = ("IMAGES", "STORE") if target == "up" else ("INDEXER_IMAGES_DIR", "INDEXER_STORE_DIR")
    for seen in (
        noted(tmp_path, target, f"IMAGES={images}", f"STORE={store}", f"VGG16_WEIGHTS={name}"),
        noted(tmp_path, target, IMAGES=str(images), STORE=str(store), VGG16_WEIGHTS=name),
    ):
        assert [seen[variable] for variable in variables] == [str(images), str(store)]
        assert seen["VGG16_WEIGHTS"] == name


@pytest.mark.parametrize("name", NAMES)
def test_a_store_remembers_its_folder(tmp_path: Path, name: str) -> None:
    images, store = tmp_path / f"images {name}", tmp_path / f"store {name}"
    store.mkdir()
    noted(tmp_path, "index", f"IMAGES={images}", f"STORE={store}")
    assert noted(tmp_path, "index", f"STORE={store}")["INDEXER_IMAGES_DIR"] == str(images)
