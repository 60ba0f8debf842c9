"""What more photos in a query are worth: `python -m benchmarks.feedback`.

A person looks at the first page of results, adds right ones to the query and marks wrong ones as not wanted.
Here the ground truth is that person. Both queries, before and after, then rank the photos that nobody has
judged: what was marked must not count twice.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import LIMITS, MODELS_DIR
from benchmarks.report import Table
from benchmarks.retrieval import GroundTruth, average_precision, load_corel1k, precision_at
from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.descriptors.embedding import Embedding
from imagesearch.pictures.decode import decode
from imagesearch.ranking.expansion import rocchio

PAGE = 30
MARKS = ((1, 0), (2, 0), (0, 1), (0, 2), (1, 1), (2, 2), (3, 4))
"""So many right and so many wrong results of the first page are marked."""
NEGATIVE_WEIGHTS = (0.1, 0.25, 0.5, 0.75, 1.0)
BATCH = 32


def describe(folder: Path, truth: GroundTruth) -> NDArray[np.float32]:
    """EfficientNet-Lite0's embedding of each photo, shape=(N, D)."""
    identity = prepare_model("efficientnet-lite0", MODELS_DIR).identity
    descriptor = Embedding(load_backbone(MODELS_DIR, identity, Precision.F32, threads=0))
    plan = descriptor.input_plan
    inputs = [plan.prepare(decode((folder / name).read_bytes(), LIMITS).rgb) for name in truth.photos]
    starts = range(0, len(inputs), BATCH)
    return np.concatenate(
        [row for start in starts for row in descriptor.describe(inputs[start : start + BATCH])]
    )


class Judged:
    """The queries whose first page has as many right and wrong results as are to be marked."""

    def __init__(self, described: NDArray[np.float32], relevant: NDArray[np.bool_]) -> None:
        """described: shape=(N, D); relevant: shape=(N, N), row by query."""
        self._described = described
        self._relevant = relevant
        self._cosines = described @ described.T
        np.fill_diagonal(self._cosines, -np.inf)
        self._pages = np.argsort(-self._cosines, axis=1, kind="stable")[:, :PAGE]

    def measure(self, right: int, wrong: int, weight: float) -> tuple[int, NDArray[np.float64]]:
        """Queries, and the means of `_quality` before and after: shape=(2, 3)."""
        figures = []
        for query, page in enumerate(self._pages):
            is_right = self._relevant[query, page]
            liked, disliked = page[is_right][:right], page[~is_right][:wrong]
            if len(liked) < right or len(disliked) < wrong:
                continue
            positives = self._described[[query, *liked]]
            combined = rocchio(positives, self._described[disliked], weight)
            both = (self._cosines[query], self._described @ combined)
            figures.append([self._quality(query, cosines, liked, disliked) for cosines in both])
        return len(figures), np.mean(figures, axis=0)

    def _quality(
        self,
        query: int,
        cosines: NDArray[np.float32],
        liked: NDArray[np.intp],
        disliked: NDArray[np.intp],
    ) -> tuple[float, float, float]:
        """Average precision, P@10, and the share of the first ten that is of a kind marked as wrong."""
        order = np.argsort(-cosines, kind="stable")
        order = order[~np.isin(order, [query, *liked, *disliked])]
        ranks = np.flatnonzero(self._relevant[query, order]).tolist()
        is_unwanted = np.logical_or.reduce(self._relevant[disliked], axis=0)
        unwanted = np.flatnonzero(is_unwanted[order]).tolist()
        return average_precision(ranks, len(ranks)), precision_at(10, ranks), precision_at(10, unwanted)


def relevance(truth: GroundTruth) -> NDArray[np.bool_]:
    """shape=(N, N), row by query; Corel-1k, where each photo is one."""
    return np.array([[name in truth.relevant[query] for name in truth.photos] for query in truth.photos])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feedback", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, default=Path(os.environ.get("EVAL_PHOTOS", "../shared/data/eval"))
    )
    folder = parser.parse_args().photos / "corel1k"
    truth = load_corel1k(folder)
    judged = Judged(describe(folder, truth), relevance(truth))
    figures = ("mAP before", "mAP after", "P@10 before", "P@10 after", "unwanted before", "unwanted after")
    table = Table("feedback", ("right", "wrong", "weight of wrong", "queries", *figures)).start()
    for right, wrong in MARKS:
        for weight in NEGATIVE_WEIGHTS if wrong else (0.0,):
            queries, means = judged.measure(right, wrong, weight)
            table.add(right, wrong, weight, queries, *means.T.ravel().tolist())
    table.save()


if __name__ == "__main__":
    main()
