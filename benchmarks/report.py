"""A benchmark's figures: printed as a table, kept as JSON beside the machine they came from."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS_DIR = Path(os.environ.get("BENCH_RESULTS", "var/benchmarks"))
Cell = str | int | float


@dataclass
class Table:
    """Rows of one benchmark under named columns; numbers carry their unit in the column's name."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)

    def add(self, *row: Cell) -> None:
        """Adds and prints one row at once: long benchmarks show how far they are."""
        self.rows.append(row)
        sys.stdout.write(" | ".join(show(cell) for cell in row) + "\n")
        sys.stdout.flush()

    def start(self) -> Table:
        sys.stdout.write(f"\n## {self.name}\n\n{' | '.join(self.columns)}\n")
        sys.stdout.write(" | ".join("---" for _ in self.columns) + "\n")
        return self

    def save(self) -> None:
        RESULTS_DIR.mkdir(parents=True, exist_ok=True)
        body = {
            "name": self.name,
            "machine": machine(),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "rows": [dict(zip(self.columns, map(_known, row), strict=True)) for row in self.rows],
        }
        (RESULTS_DIR / f"{self.name}.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def show(cell: Cell) -> str:
    if _known(cell) is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.3g}" if abs(cell) < 1000 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _known(cell: Cell) -> Cell | None:
    """None for what was not measured, which is NaN in a column of numbers and nothing in JSON."""
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def machine() -> dict[str, Cell]:
    """What a reader needs to place the figures."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line for line in cpuinfo.splitlines() if line.startswith("model name")), "")
    return {
        "processor": model.partition(":")[2].strip() or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "amx": "yes" if "amx_tile" in cpuinfo else "no",
        "python": platform.python_version(),
    }


def median_ms(call: Callable[[], object], repeats: int = 20, warm_up: int = 3) -> float:
    """Median wall time of one call."""
    for _ in range(warm_up):
        call()
    return statistics.median(elapsed_ms(call) for _ in range(repeats))


def processor_ms(call: Callable[[], object], repeats: int = 10) -> float:
    """The least processor time of one call, which other work on the machine disturbs little."""

    def once() -> float:
        start = time.process_time()
        call()
        return (time.process_time() - start) * 1e3

    return min(once() for _ in range(repeats))


def elapsed_ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values is, by the nearest rank."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
