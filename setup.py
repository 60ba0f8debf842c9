"""Generates the gRPC stubs while building; everything else is in pyproject.toml."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROTO = "protos/imagesearch/v1/search.proto"


class BuildWithStubs(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            generate_stubs(Path(self.build_lib))


def generate_stubs(out: Path) -> None:
    from grpc_tools import protoc

    outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", "-I", ".", *outputs, PROTO]) != 0:
        raise SystemExit(f"protoc could not compile {PROTO}")


setup(cmdclass={"build_py": BuildWithStubs})
