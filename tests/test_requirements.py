"""The locks hold exact versions with hashes, agree with each other, and name no place to fetch from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
LOCKS = sorted((REPOSITORY / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text("ascii")))


def locked_names(lock: str) -> set[str]:
    return set(pins(REPOSITORY / "requirements" / lock))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_locked_requirement_has_a_version_and_a_hash(lock: Path) -> None:
    entries = re.split(r"^(?=[a-z])", lock.read_text("ascii"), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_each_lock_agrees_with_the_development_lock(lock: Path) -> None:
    assert pins(lock).items() <= pins(REPOSITORY / "requirements/development.txt").items()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_registry(lock: Path) -> None:
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted-host", lock.read_text("ascii"))


def test_the_gateway_has_no_numbers_and_no_network() -> None:
    assert (
        locked_names("gateway.txt") & {"numpy", "pillow", "openvino", "faiss-cpu", "tensorflow", "keras"}
        == set()
    )


def test_serving_has_nothing_that_makes_networks() -> None:
    assert locked_names("extractor.txt") & {"tensorflow", "keras", "h5py", "nncf"} == set()


def test_stubs_are_built_by_the_same_tools_everywhere() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    version = pins(REPOSITORY / "requirements/stubs.txt")["grpcio-tools"]
    assert f"grpcio-tools=={version}" in project["build-system"]["requires"]


@pytest.mark.parametrize("extra", ["gateway", "extractor", "convert", "milvus", "dask"])
def test_an_extra_asks_for_what_its_lock_holds_from_a_version_on(extra: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(line) for line in project["optional-dependencies"][extra] if "[" not in line]
    listed = re.findall(
        r"^[a-z][a-z0-9-]*", (REPOSITORY / f"requirements/{extra}.in").read_text("ascii"), re.M
    )
    assert sorted(requirement.name for requirement in wanted) == sorted(listed)
    locked = pins(REPOSITORY / f"requirements/{extra}.txt")
    assert [r.name for r in wanted if locked[r.name] not in r.specifier or ">=" not in str(r.specifier)] == []
