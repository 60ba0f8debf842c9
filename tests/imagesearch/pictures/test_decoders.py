from __future__ import annotations

import ast
import sys
from importlib import metadata
from pathlib import Path

import pytest

from imagesearch import pictures
from imagesearch.pictures import decoders

NO_DECODERS = {"imagesearch", "numpy", "cv2"}


def test_every_package_that_decodes_is_counted() -> None:
    distributions = metadata.packages_distributions()
    imported = imported_packages() - NO_DECODERS - sys.stdlib_module_names
    packages = {distributions[module][0].lower().replace("_", "-") for module in imported}
    assert packages == set(decoders.PACKAGES)


def imported_packages() -> set[str]:
    """The names of all top-level packages that the modules of `pictures` import."""
    found = set()
    for path in Path(pictures.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("package", decoders.PACKAGES)
def test_another_version_of_any_of_them_is_another_version_of_all(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = decoders.decoders_version()
    assert decoders.decoders_version() == before
    real = metadata.version
    monkeypatch.setattr(decoders, "version", lambda name: "9999" if name == package else real(name))
    assert decoders.decoders_version() != before


def test_so_is_another_version_of_our_own_part(monkeypatch: pytest.MonkeyPatch) -> None:
    before = decoders.decoders_version()
    monkeypatch.setattr(decoders, "READERS_VERSION", decoders.READERS_VERSION + 1)
    assert decoders.decoders_version() != before
