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
ROOMS = ("benchmarks", "extractor_service", "gateway", "indexer", "protos", "samples", "scripts", "training")
TENSORFLOW = ("tensorflow", "keras")
GRPC = ("grpc", "grpc_health", "grpc_reflection", "grpc_status", "google.rpc", "protos")
SERVICE_EDGE = tuple(
    f"extractor_service.{module}"
    for module in ("__main__", "arrivals", "auth", "health", "messages", "server", "servicer", "status")
)

ENGINE = ("extractor_service.engine", "extractor_service.search_core")


@dataclass(frozen=True)
class Arrow:
    """A module under `who`, unless it is under `but`, imports nothing under `never`."""

    who: str
    never: tuple[str, ...]
    but: tuple[str, ...] = ()

    def forbids(self, module: str, imported: str) -> bool:
        return under(module, self.who) and not under(module, *self.but) and under(imported, *self.never)


def rooms_but(*names: str) -> tuple[str, ...]:
    return tuple(room for room in ROOMS if room not in names)


ARROWS = (
    # Between rooms.
    Arrow("gateway", never=rooms_but("gateway", "protos")),
    Arrow("extractor_service", never=rooms_but("extractor_service", "protos")),
    Arrow("indexer", never=rooms_but("indexer", "extractor_service")),
    Arrow("training", never=rooms_but("training", "extractor_service")),
    Arrow("samples", never=rooms_but("samples")),
    Arrow("protos", never=rooms_but("protos")),
    # Within the gateway: one user of the stubs, and nothing heavy.
    Arrow("gateway", never=GRPC, but=("gateway.search_client",)),
    Arrow("gateway", never=("numpy", "PIL", "cv2", "openvino", "faiss", *TENSORFLOW)),
    # Within the service: transport above the engine, the engine above the rest.
    Arrow("extractor_service", never=GRPC, but=SERVICE_EDGE),
    Arrow("extractor_service", never=SERVICE_EDGE, but=SERVICE_EDGE),
    Arrow(
        "extractor_service",
        never=ENGINE,
        but=(*SERVICE_EDGE, *ENGINE),
    ),
    Arrow("indexer", never=("extractor_service.batching", *SERVICE_EDGE, *GRPC)),
    # The self-test searches as the service does; indexing never searches.
    Arrow("indexer", never=ENGINE, but=("indexer.selftest",)),
    # The networks' makers stay where networks are made; benchmarks measure Keras itself.
    *(
        Arrow(room, never=TENSORFLOW, but=("extractor_service.backbones",))
        for room in rooms_but("benchmarks", "training")
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
        ("gateway.uploads", "from extractor_service.images import decode"),
        ("gateway.routers.search", "from protos.imagesearch.v1 import search_pb2"),
        ("gateway.routers.search", "def late() -> None:\n    import grpc.aio"),
        ("extractor_service.store.snapshot", "import indexer.build"),
        ("extractor_service.engine", "from google.rpc import error_details_pb2"),
        ("extractor_service.engine", "from . import servicer"),
        ("extractor_service.index.exact", "from ..engine import Engine"),
        ("extractor_service.descriptors.fc6", "import tensorflow as tf"),
        ("extractor_service.server", "from keras import Model"),
        ("indexer.build", "from extractor_service import engine"),
        ("indexer.build", "from extractor_service.search_core import SearchCore"),
        ("extractor_service.hits", "from extractor_service.search_core import SearchCore"),
        ("indexer.selftest.searches", "from extractor_service import servicer"),
        ("samples.draw", "import extractor_service.images"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, source: str) -> None:
    assert broken_arrows(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gateway.search_client", "from protos.imagesearch.v1 import search_pb2"),
        ("gateway.app", "from .routers import search"),
        ("extractor_service.backbones.keras_vgg16", "import keras"),
        ("extractor_service.servicer", "from extractor_service.engine import Engine"),
        ("indexer.build", "from extractor_service.store.ledger import Ledger"),
        ("indexer.selftest.searches", "from extractor_service.search_core import SearchCore"),
    ],
)
def test_an_import_along_the_arrows_is_left_alone(module: str, source: str) -> None:
    assert broken_arrows(source, module) == []


@pytest.mark.parametrize(
    ("entry_point", "absent"),
    [
        ("gateway.app", ("numpy", "PIL", "openvino", "faiss", "extractor_service", *TENSORFLOW)),
        ("extractor_service.server", ("gateway", "indexer", *TENSORFLOW)),
        ("extractor_service.backbones", TENSORFLOW),
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
        "import sys, extractor_service.backbones as backbones\n"
        "backbones.resolve_precision(backbones.Precision.AUTO)\n"
        "print(*(name for name in sys.modules if name in ('openvino', 'openvino_telemetry.main')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["openvino"]
