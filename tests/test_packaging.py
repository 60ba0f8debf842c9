"""`pip install .` brings everything the programs need, the generated stubs included, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import gateway

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
SOURCES = ("CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "pyproject.toml", "setup.py")
INSTALLED = ("extractor_service", "gateway", "imagesearch", "indexer", "protos")
CHECKOUT_ONLY = ("samples", "training")
VERSION = re.compile(r"^## \[(\d[^]]*)] - \d{4}-\d\d-\d\d$", re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sources alone, as a fresh clone has them."""
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copy(REPOSITORY / name, clone)
    for room in (*INSTALLED, *CHECKOUT_ONLY):
        shutil.copytree(
            REPOSITORY / room, clone / room, ignore=shutil.ignore_patterns("__pycache__", "*_pb2*")
        )
    pip("wheel", "--no-index", "--no-build-isolation", "--wheel-dir", str(out), str(clone))
    return next(out.iterdir())


@pytest.fixture(scope="module")
def packaged(wheel: Path) -> set[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into; what it depends on is that of this environment."""
    site = tmp_path_factory.mktemp("site")
    pip("install", "--no-index", "--target", str(site), str(wheel))
    return site


def pip(command: str, *arguments: str) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            command,
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            *arguments,
        ],
        check=True,
        capture_output=True,
    )


def run_outside(site: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs with what is installed, far from the checkout."""
    return subprocess.run(
        command,
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_package_holds_every_file_of_what_is_installed(packaged: set[str]) -> None:
    files = {
        path.relative_to(REPOSITORY).as_posix()
        for room in INSTALLED
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"gateway/templates/page.html", "gateway/py.typed", "protos/imagesearch/v1/search.proto"} <= files
    assert files <= packaged


def test_the_stubs_are_generated(packaged: set[str]) -> None:
    assert {f"protos/imagesearch/v1/search_{kind}.py" for kind in ("pb2", "pb2_grpc")} <= packaged


def test_the_package_holds_nothing_else(packaged: set[str]) -> None:
    tops = {name.split("/")[0] for name in packaged}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(INSTALLED)


def test_the_licence_and_the_notices_come_along(packaged: set[str]) -> None:
    assert {name.rsplit("/", 1)[-1] for name in packaged if "/licenses/" in name} == {"LICENSE", "NOTICE"}


@pytest.mark.parametrize("package", INSTALLED)
def test_type_checkers_may_read_the_types(packaged: set[str], package: str) -> None:
    assert f"{package}/py.typed" in packaged


@pytest.mark.parametrize("script", PROJECT["scripts"])
def test_an_installed_command_explains_itself(site: Path, script: str) -> None:
    done = run_outside(site, str(site / "bin" / script), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_the_installed_modules_are_those_of_the_wheel(site: Path) -> None:
    modules = [f"{package}.__main__" for package in ("extractor_service", "gateway", "indexer")]
    program = f"import {', '.join(modules)}, sys; print(*(sys.modules[m].__file__ for m in {modules}))"
    done = run_outside(site, sys.executable, "-c", program)
    assert done.stderr == ""
    assert all(Path(file).is_relative_to(site) for file in done.stdout.split())


def test_the_version_is_that_of_the_newest_section_of_the_changelog(wheel: Path) -> None:
    newest = VERSION.findall((REPOSITORY / "CHANGELOG.md").read_text("utf-8"))[0]
    assert newest == gateway.__version__ == wheel.name.split("-")[1]
