"""`python -m benchmarks NAME…`: prints tables, writes var/benchmarks/NAME.json."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

NAMES = ("extract", "scaled_decoding", "search", "append", "indexing", "start", "serve", "page", "billion")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which; all when none is named")
    parser.add_argument("--full", action="store_true", help="the long runs too, to ten million descriptors")
    options = parser.parse_args(argv)
    Path("var").mkdir(exist_ok=True)  # stores and copies of photos are made in it
    for name in options.names or NAMES:
        importlib.import_module(f"benchmarks.{name}").run(options.full)


if __name__ == "__main__":
    main()
