"""`pip install .` brings everything the programs need, the generated stubs included."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.py")
ROOMS = ("extractor_service", "gateway", "indexer", "models", "protos", "samples", "training")


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel built from the sources alone, as a fresh clone has them."""
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copy(REPOSITORY / name, clone)
    for room in ROOMS:
        shutil.copytree(
            REPOSITORY / room, clone / room, ignore=shutil.ignore_patterns("__pycache__", "*_pb2*")
        )
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-index"]
        + ["--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(clone)],
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(out.iterdir())) as wheel:
        return set(wheel.namelist())


def test_the_package_holds_every_file_of_the_rooms(packaged: set[str]) -> None:
    files = {
        path.relative_to(REPOSITORY).as_posix()
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {
        "models/compact.npz",
        "gateway/templates/page.html",
        "protos/imagesearch/v1/search.proto",
    } <= files
    assert files <= packaged


def test_the_stubs_are_generated(packaged: set[str]) -> None:
    assert {f"protos/imagesearch/v1/search_{kind}.py" for kind in ("pb2", "pb2_grpc")} <= packaged


def test_the_package_holds_nothing_else(packaged: set[str]) -> None:
    tops = {name.split("/")[0] for name in packaged}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)
