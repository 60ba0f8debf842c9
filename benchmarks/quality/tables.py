"""The figures as a table for docs/quality.md and as JSON beside the machine they came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from benchmarks.quality.measuring import Measured
from benchmarks.report import Cell, Table

COLUMNS = (
    "photos",
    "descriptor",
    "network",
    "search",
    "dim",
    "mAP",
    "P@10",
    "queries",
    "ms a query",
    "bytes a photo",
    "score off uniform",
)


def progress_line(row: Measured) -> str:
    quality = row.quality
    search = f" + {', '.join(row.options)}" if row.options else ""
    return (
        f"{row.photos}: {row.descriptor}{search}{f' of {row.network}' if row.network else ''}: "
        f"mAP {quality.mean_average_precision:.3f}, P@10 {quality.precision_at_10:.3f}"
    )


def save(rows: Sequence[Measured]) -> None:
    """var/benchmarks/quality.json: every row, each draw of random weights on its own."""
    Table("quality", COLUMNS, [_cells(row) for row in rows]).save()


def _cells(row: Measured) -> tuple[Cell, ...]:
    return (
        row.photos,
        row.descriptor,
        row.network,
        ", ".join(row.options),
        row.dim,
        row.quality.mean_average_precision,
        row.quality.precision_at_10,
        row.quality.queries,
        "" if row.query_ms is None else row.query_ms,
        row.bytes_per_photo,
        "" if row.calibration_error is None else row.calibration_error,
    )


def markdown(rows: Sequence[Measured], sets: Sequence[str]) -> str:
    """One line a way to search, the sets side by side; draws of random weights as their mean."""
    heads = [f"{name} {figure}" for name in sets for figure in ("mAP", "P@10")]
    columns = ["descriptor", "network", "search", *heads, "ms a query", "bytes a photo", "score"]
    lines = [_line(columns), _line(["---"] * len(columns))]
    for key in dict.fromkeys((row.descriptor, row.network, row.options) for row in rows):
        alike = [row for row in rows if (row.descriptor, row.network, row.options) == key]
        descriptor, network, options = key
        lines.append(
            _line(
                [
                    descriptor,
                    network or "-",
                    ", ".join(options) or "-",
                    *(_qualities(alike, sets)),
                    _mean(alike, lambda row: row.query_ms, "{:.0f}"),
                    _mean(alike, lambda row: row.bytes_per_photo, "{:,.0f}"),
                    _mean(alike, lambda row: row.calibration_error, "{:.3f}"),
                ]
            )
        )
    return "\n".join(lines) + "\n"


def _qualities(rows: Sequence[Measured], sets: Sequence[str]) -> list[str]:
    cells = []
    for name in sets:
        here = [row for row in rows if row.photos == name]
        cells.append(_mean(here, lambda row: row.quality.mean_average_precision, "{:.3f}"))
        cells.append(_mean(here, lambda row: row.quality.precision_at_10, "{:.3f}"))
    return cells


def _mean(rows: Sequence[Measured], figure: Callable[[Measured], float | None], form: str) -> str:
    values = [value for row in rows if (value := figure(row)) is not None]
    return form.format(fmean(values)) if values else "-"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
