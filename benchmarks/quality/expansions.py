"""Query expansion by the number of neighbours: how many right answers there are decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.retrieval import evaluate
from imagesearch.ranking.expansion import alpha_expansion, average_expansion
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot

NEIGHBOURS = (0, 1, 2, 3, 5, 10)

Expand = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
EXPANSIONS: dict[str, Expand] = {"AQE": average_expansion, "α-QE": partial(alpha_expansion, alpha=3.0)}


def expansion_table(sets: Sequence[tuple[PhotoSet, str, Path]]) -> str:
    """Markdown, one line a number of neighbours. sets: photos, name of the descriptor and store."""
    heads = [
        f"{photos.name}, `{descriptor}`: {name}" for photos, descriptor, _ in sets for name in EXPANSIONS
    ]
    lines = [f"| neighbours | {' | '.join(heads)} |", "| --- " * (len(heads) + 1) + "|"]
    for neighbours in NEIGHBOURS:
        figures = [
            f"{expansion_map(StoreLayout(store_dir), photos, expand, neighbours):.3f}"
            for photos, _, store_dir in sets
            for expand in EXPANSIONS.values()
        ]
        lines.append(f"| {neighbours or 'none'} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def expansion_map(layout: StoreLayout, photos: PhotoSet, expand: Expand, neighbours: int) -> float:
    """Mean average precision over the store's own descriptors, the query never its own neighbour."""
    with Snapshot.open(layout) as snapshot:
        rows = snapshot.descriptors.order
        paths = [record.paths for record in snapshot.records(rows.tolist())]
        matrix = snapshot.descriptors[rows].astype(np.float32)
    row_of = {path: row for row, names in enumerate(paths) for path in names}
    rankings = {}
    for query in photos.truth.relevant:
        own = row_of[query]
        others = _nearest(matrix, matrix[own])
        expanded = expand(matrix[own], matrix[others[others != own][:neighbours]])
        rankings[query] = [path for row in _nearest(matrix, expanded) for path in paths[row]]
    return evaluate(photos.truth, rankings).mean_average_precision


def _nearest(matrix: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.argsort(-(matrix @ vector), kind="stable")
