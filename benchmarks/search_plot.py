"""Search time and memory against the size of the collection, as a picture for docs/performance.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import Cell, Table

SHOWN = ("the seed's scan", "exact", "pq", "ivf")
STYLES = {index: f"C{place}{marker}" for place, (index, marker) in enumerate(zip(SHOWN, "xsov", strict=True))}
Row = Mapping[str, Cell]
LINES = {4096: "-", 512: "--"}


def draw(table: Table, path: Path) -> None:
    """Two panels, both axes logarithmic; solid lines for 4096 dimensions, dashed for 512."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    times, memory = figure.subplots(1, 2)
    _lines(times, table, lambda row: row["median ms"])
    _lines(memory, table, _memory_mb)
    for panel, label in ((times, "one search, ms"), (memory, "memory beside the descriptors' file, MB")):
        panel.set(xscale="log", yscale="log", xlabel="images", ylabel=label)
        panel.grid(alpha=0.3)
    figure.legend(*times.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, metadata={"Date": None})


def _memory_mb(row: Row) -> Cell:
    """The seed holds all descriptors; an index is its file, read whole: what a process has in residence
    besides depends on what it did before."""
    return row["resident MB"] if row["index"] == "the seed's scan" else row["index files MB"]


def _lines(panel: Axes, table: Table, figure_of: Callable[[Row], Cell]) -> None:
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    for dim, line in LINES.items():
        for index in SHOWN:
            of_index = [row for row in rows if (row["dimensions"], row["index"]) == (dim, index)]
            points = list(_positive((row["descriptors"], figure_of(row)) for row in of_index))
            if points:
                panel.plot(*zip(*points, strict=True), line + STYLES[index], label=f"{index}, {dim}")


def _positive(points: Iterable[tuple[object, object]]) -> Iterable[tuple[float, float]]:
    """Those that a logarithmic axis can show."""
    for x, y in points:
        if isinstance(x, int) and isinstance(y, float) and math.isfinite(y) and y > 0:
            yield float(x), y
