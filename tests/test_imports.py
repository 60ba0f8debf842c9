"""Who may import whom, as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = (
    "benchmarks",
    "extractor_service",
    "gateway",
    "imagesearch",
    "indexer",
    "protos",
    "samples",
    "scripts",
    "training",
)
TENSORFLOW = ("tensorflow", "keras")
HEAVY = ("numpy", "PIL", "cv2", "openvino", "faiss", *TENSORFLOW)
MAKING = ("imagesearch.backbones.making", "imagesearch.index.building")
GRPC = ("grpc", "grpc_health", "grpc_reflection", "grpc_status", "google.rpc", "protos")
LAYERS = (
    (
        "imagesearch.array_file",
        "imagesearch.bounded",
        "imagesearch.errors",
        "imagesearch.host",
        "imagesearch.segmented",
    ),
    ("imagesearch.local_features", "imagesearch.backbones"),
    ("imagesearch.pictures",),
    ("imagesearch.descriptors",),
    ("imagesearch.conv_maps", "imagesearch.index"),
    ("imagesearch.ranking",),
    ("imagesearch.store",),
)
"""The library from the bottom up: each imports only from layers below it, and itself."""


@dataclass(frozen=True)
class Arrow:
    """A module under `who`, unless it is under `but`, imports nothing under `never`."""

    who: str
    never: tuple[str, ...]
    but: tuple[str, ...] = ()

    def forbids(self, module: str, imported: str) -> bool:
        return under(module, self.who) and not under(module, *self.but) and under(imported, *self.never)


def only(who: str, *may: str, but: tuple[str, ...] = ()) -> Arrow:
    """Of the packages here, `who` imports only itself and those named."""
    top = who.partition(".")[0]
    return Arrow(who, tuple(room for room in ROOMS if room not in (top, *may)), but)


def upward_arrows() -> Iterator[Arrow]:
    for height, layer in enumerate(LAYERS):
        above = tuple(room for upper in LAYERS[height + 1 :] for room in upper)
        for room in layer:
            beside = tuple(other for other in layer if other != room)
            yield Arrow(room, (*beside, *above))


TRANSPORT, SEARCH, LIVE = (f"extractor_service.{room}" for room in ("transport", "search", "live"))

ARROWS = (
    only("gateway", "protos"),
    Arrow("gateway", GRPC, but=("gateway.search_client",)),
    Arrow("gateway", HEAVY),
    only(TRANSPORT, "imagesearch", "protos"),
    only(SEARCH, "imagesearch"),
    only(LIVE, "imagesearch"),
    Arrow(SEARCH, (TRANSPORT, *GRPC)),
    Arrow(LIVE, (TRANSPORT, SEARCH, *GRPC)),
    only("imagesearch"),
    Arrow("imagesearch", GRPC),
    *upward_arrows(),
    only("indexer", "imagesearch", but=("indexer.selftest", "indexer.match")),
    only("indexer.selftest", "imagesearch", "extractor_service"),
    only("indexer.match", "imagesearch", "extractor_service"),
    Arrow("indexer", (TRANSPORT, *GRPC)),
    only("training", "imagesearch"),
    only("samples"),
    only("protos"),
    # What serves never loads what only builds, neither by the library.
    Arrow("extractor_service", MAKING),
    Arrow("imagesearch", MAKING, but=MAKING),
    *(
        Arrow(room, TENSORFLOW, but=("imagesearch.backbones.making",))
        for room in ("extractor_service", "imagesearch", "indexer", "scripts", "samples")
    ),
)


def under(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Names of all modules that `source` imports at any depth; each `from a import b` gives a and a.b."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            parent = ".".join([*base, *([node.module] if node.module else [])])
            yield parent
            yield from (f"{parent}.{alias.name}" for alias in node.names)


def broken_arrows(source: str, module: str, *, is_package: bool = False) -> list[str]:
    return [
        f"{module} imports {imported}"
        for imported in imports(source, module, is_package=is_package)
        for arrow in ARROWS
        if arrow.forbids(module, imported)
    ]


def source_files() -> list[Path]:
    return sorted(
        path for room in ROOMS for path in (REPOSITORY / room).rglob("*.py") if "_pb2" not in path.name
    )


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def test_every_import_follows_the_arrows() -> None:
    files = source_files()
    assert {path.relative_to(REPOSITORY).parts[0] for path in files} >= {
        "gateway",
        "extractor_service",
        "indexer",
    }
    broken = [
        line
        for path in files
        for line in broken_arrows(
            path.read_text("utf-8"), module_of(path), is_package=path.name == "__init__.py"
        )
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gateway.uploads", "import numpy as np"),
        ("gateway.uploads", "from imagesearch.pictures.decode import decode"),
        ("gateway.routers.search", "from protos.imagesearch.v1 import search_pb2"),
        ("gateway.routers.search", "def late() -> None:\n    import grpc.aio"),
        ("imagesearch.store.snapshot", "import indexer.build"),
        ("extractor_service.search.engine", "from google.rpc import error_details_pb2"),
        ("extractor_service.search.engine", "from ..transport import servicer"),
        ("imagesearch.index.exact", "from ..ranking import expansion"),
        ("imagesearch.index.files", "from imagesearch.index.building import builder"),
        ("imagesearch.descriptors.fc6", "import tensorflow as tf"),
        ("extractor_service.transport.server", "from keras import Model"),
        ("indexer.build", "from extractor_service import engine"),
        ("indexer.build", "from extractor_service.search.wiring import SearchCore"),
        ("extractor_service.live.live_index", "from extractor_service.search.wiring import SearchCore"),
        ("indexer.selftest.searches", "from extractor_service.transport import servicer"),
        ("samples.draw", "import imagesearch.pictures.decode"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, source: str) -> None:
    assert broken_arrows(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gateway.search_client", "from protos.imagesearch.v1 import search_pb2"),
        ("gateway.app", "from .routers import search"),
        ("imagesearch.backbones.making.keras_network", "import keras"),
        ("extractor_service.transport.servicer", "from extractor_service.search.engine import Engine"),
        ("indexer.build", "from imagesearch.store.ledger import Ledger"),
        ("indexer.selftest.searches", "from extractor_service.search.wiring import SearchCore"),
    ],
)
def test_an_import_along_the_arrows_is_left_alone(module: str, source: str) -> None:
    assert broken_arrows(source, module) == []


@pytest.mark.parametrize(
    ("entry_point", "absent"),
    [
        ("gateway.app", ("numpy", "PIL", "openvino", "faiss", "extractor_service", *TENSORFLOW)),
        ("extractor_service.transport.server", ("gateway", "indexer", *MAKING, *TENSORFLOW)),
        ("imagesearch.backbones", TENSORFLOW),
    ],
)
def test_starting_loads_nothing_heavy(entry_point: str, absent: tuple[str, ...]) -> None:
    """What the arrows cannot see: a dependency that imports the forbidden one."""
    program = f"import sys, {entry_point}; print(*sorted(set({absent!r}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_network_runtime_does_not_report_its_use() -> None:
    program = (
        "import sys, imagesearch.backbones as backbones\n"
        "backbones.resolve_precision(backbones.Precision.AUTO)\n"
        "print(*(name for name in sys.modules if name in ('openvino', 'openvino_telemetry.main')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["openvino"]
