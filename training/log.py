"""The log of a run: one CSV row for each stretch of steps."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

COLUMNS = (
    "step",
    "epoch",
    "seconds",
    "size_px",
    "learning_rate",
    "loss",
    "classification",
    "contrastive",
    "triplet",
    "choice_map",
)
"""seconds: of work, all sittings together. loss and its terms: means since the row before. The last is
measured on held-out pictures, with the averaged weights, and empty where nothing was measured."""


class TrainingLog:
    """Rows in a CSV file, on the disk as soon as they are written."""

    def __init__(self, path: Path, done_steps: int) -> None:
        """Rows of later steps than `done_steps` are of work that was lost, and are dropped."""
        self._path = path
        self.rows = [row for row in read_log(path) if int(row["step"]) <= done_steps]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(self.rows)

    def add(self, row: dict[str, Any]) -> None:
        shown = {
            name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in row.items()
        }
        self.rows.append(shown)
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, restval="").writerow(shown)


def read_log(path: Path) -> list[dict[str, str]]:
    """Rows by column; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
