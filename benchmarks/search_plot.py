"""Search time and memory against the size of the collection, as a picture for docs/performance.md."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import Table

SHOWN = ("the seed's scan", "exact", "pq", "ivf")
MARKERS = dict(zip(SHOWN, "xsov", strict=True))
LINES = {4096: "-", 512: "--"}


def draw(table: Table, path: Path) -> None:
    """Two panels, both axes logarithmic; solid lines for 4096 dimensions, dashed for 512."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    for panel, column, label in zip(
        panels, ("median ms", "resident MB"), ("one search, ms", "resident, MB"), strict=True
    ):
        _lines(panel, table, column)
        panel.set(xscale="log", yscale="log", xlabel="images", ylabel=label)
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize="x-small", frameon=False)
    figure.savefig(path, metadata={"Date": None})


def _lines(panel: Axes, table: Table, column: str) -> None:
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    for dim, line in LINES.items():
        for index in SHOWN:
            of_index = [row for row in rows if (row["dimensions"], row["index"]) == (dim, index)]
            points = list(_positive((row["descriptors"], row[column]) for row in of_index))
            if points:
                panel.plot(*zip(*points, strict=True), line + MARKERS[index], label=f"{index}, {dim}")


def _positive(points: Iterable[tuple[object, object]]) -> Iterable[tuple[float, float]]:
    """Those that a logarithmic axis can show."""
    for x, y in points:
        if isinstance(x, int) and isinstance(y, float) and math.isfinite(y) and y > 0:
            yield float(x), y
