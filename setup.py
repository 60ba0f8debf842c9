"""Generates the gRPC stubs while building; everything else is in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithStubs(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            generate_stubs(self.build_lib)


def generate_stubs(out: str) -> None:
    outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", "-I", "."]
    subprocess.run([*protoc, *outputs, "protos/imagesearch/v1/search.proto"], check=True)


setup(cmdclass={"build_py": BuildWithStubs})
