"""From a descriptor to ranked hits: search, score, look up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extractor_service.queries import Hit, SearchOptions
from extractor_service.ranking.calibration import score
from extractor_service.served_snapshot import ServedSnapshot


def rank(
    served: ServedSnapshot, descriptor: NDArray[np.float32], options: SearchOptions, own_row: int | None
) -> list[Hit]:
    """descriptor: shape=(D,), L2-normalised. Ascending by distance, ties by image id; without `own_row`."""
    rows, distances = _nearest(served, descriptor, options, own_row)
    scores = score(distances, served.snapshot.background_distances)
    records = served.snapshot.records(rows.tolist())
    return [
        Hit(record, float(distance), None if scores is None else float(scores[place]))
        for place, (record, distance) in enumerate(zip(records, distances, strict=True))
    ]


def _nearest(
    served: ServedSnapshot, descriptor: NDArray[np.float32], options: SearchOptions, own_row: int | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows and distances of at most `limit` hits."""
    # One more than asked for, because the query itself may be among them.
    found = served.index(options.exact).search(descriptor[np.newaxis], options.limit + 1)
    rows, distances = found.rows[0], found.distances[0]
    wanted = (rows >= 0) & (rows != (-1 if own_row is None else own_row))
    if options.max_distance is not None:
        wanted &= distances <= options.max_distance
    return rows[wanted][: options.limit], distances[wanted][: options.limit]
