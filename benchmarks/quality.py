"""Retrieval quality of every local-feature method: `python -m benchmarks.quality`.

What is learnt (words, the whitening of the embedding) is learnt on the other set's photos: Corel-1k for
Holidays and the other way round. The weights of tf-idf belong to the collection itself.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Table
from benchmarks.retrieval import GroundTruth, evaluate, load_corel1k, load_holidays
from extractor_service.descriptors.bof import learn_weights
from extractor_service.descriptors.temb import learn_triangulation
from extractor_service.descriptors.vlad import vlad
from extractor_service.descriptors.vocabulary import learn_vocabulary
from extractor_service.images import ImageLimits, decode
from extractor_service.index.inverted import build_inverted_file
from extractor_service.local_features import LocalFeatures, RootSift
from extractor_service.ranking.expansion import alpha_expansion, average_expansion, verified_expansion
from extractor_service.ranking.reranking import reranked
from extractor_service.ranking.verification import verify

LIMITS = ImageLimits(max_bytes=50_000_000, max_pixels=100_000_000)
EXTRACTOR = RootSift(max_features=1000, contrast_threshold=0.01)
SAMPLE = 60_000
BOF_WORDS = 20_000
VLAD_WORDS = 256
TEMB_WORDS = 16
VERIFIED = 100
VERIFIED_FEATURES = 500
EXPANDED_BY = 1
"""Holidays has 1.7 right answers a query: from three on, wrong neighbours that resemble each other win."""
EXPANSION_MIN_INLIERS = 8


@dataclass
class Collection:
    truth: GroundTruth
    features: list[LocalFeatures]

    def __post_init__(self) -> None:
        row = {name: place for place, name in enumerate(self.truth.photos)}
        self.queries = [row[query] for query in self.truth.relevant]
        self.vectors = [features.root_sift for features in self.features]

    def quality(self, cosines: NDArray[np.float32]) -> tuple[float, float]:
        """cosines: shape=(Q, N). Returns mAP and P@10."""
        orders = np.argsort(-cosines, axis=1, kind="stable")
        photos = np.array(self.truth.photos)
        rankings = {
            query: photos[order].tolist() for query, order in zip(self.truth.relevant, orders, strict=True)
        }
        measured = evaluate(self.truth, rankings)
        return measured.mean_average_precision, measured.precision_at_10


def load_collection(folder: Path, truth: GroundTruth) -> Collection:
    pictures = (decode((folder / name).read_bytes(), LIMITS).rgb for name in truth.photos)
    return Collection(truth, [EXTRACTOR.extract(rgb) for rgb in pictures])


def sample_of(collection: Collection) -> NDArray[np.float32]:
    everything = np.concatenate(collection.vectors)
    return everything[np.random.default_rng(0).permutation(len(everything))]


def measure(name: str, here: Collection, other: Collection) -> None:
    table = Table(
        f"quality-{name}", ("method", "mAP", "P@10", "ms a picture or query", "bytes a picture")
    ).start()
    sample = sample_of(other)
    measure_bof(table, here, sample)
    words = learn_vocabulary(sample[:SAMPLE], VLAD_WORDS)
    measure_dense(table, f"vlad {VLAD_WORDS}", here, lambda vectors: vlad(vectors, words))
    few = learn_vocabulary(sample[:SAMPLE], TEMB_WORDS).words
    embedding = learn_triangulation(sample[:SAMPLE], few)
    described = measure_dense(table, f"temb {TEMB_WORDS}", here, embedding.describe)
    if name == "holidays":
        measure_rankings(table, here, described)
    table.save()


def measure_bof(table: Table, here: Collection, sample: NDArray[np.float32]) -> None:
    vocabulary = learn_vocabulary(sample[: 8 * BOF_WORDS], BOF_WORDS, iterations=6)
    model = learn_weights(vocabulary, here.vectors)
    bags = [model.bag(vectors) for vectors in here.vectors]
    index = build_inverted_file(bags, BOF_WORDS)
    start = time.perf_counter()
    cosines = np.stack([index.cosines(bags[query]) for query in here.queries])
    spent_ms = (time.perf_counter() - start) * 1e3 / len(here.queries)
    table.add(f"bof {BOF_WORDS}", *here.quality(cosines), spent_ms, 6 * len(index.rows) // len(index))


def measure_dense(
    table: Table,
    name: str,
    here: Collection,
    encode: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    start = time.perf_counter()
    described = np.stack([encode(vectors) for vectors in here.vectors])
    spent_ms = (time.perf_counter() - start) * 1e3 / len(described)
    cosines = described[here.queries] @ described.T
    table.add(name, *here.quality(cosines), spent_ms, 2 * described.shape[1])
    return described


def measure_rankings(table: Table, here: Collection, described: NDArray[np.float32]) -> None:
    """Expansion and verification over one descriptor, each against the same baseline."""
    cosines = described[here.queries] @ described.T
    nearest = nearest_others(cosines, here.queries)
    top = nearest[:, :EXPANDED_BY]
    expansions = [
        average_expansion(described[q], described[rows]) for q, rows in zip(here.queries, top, strict=True)
    ]
    table.add("  + AQE", *here.quality(np.stack(expansions) @ described.T), 0.0, 0)
    expansions = [
        alpha_expansion(described[q], described[rows]) for q, rows in zip(here.queries, top, strict=True)
    ]
    table.add("  + α-QE", *here.quality(np.stack(expansions) @ described.T), 0.0, 0)
    inliers, spent_ms = verify_all(here, nearest[:, :VERIFIED])
    stored = int(np.mean([136 * min(len(features), VERIFIED_FEATURES) for features in here.features]))
    verified = reordered(cosines, inliers)
    table.add(f"  + verification of {VERIFIED}", *here.quality(verified), spent_ms, stored)
    trusted = nearest_others(verified, here.queries)[:, :10]
    expanded = np.stack(
        [
            verified_expansion(described[q], described[rows], inliers[place, rows], EXPANSION_MIN_INLIERS)
            for place, (q, rows) in enumerate(zip(here.queries, trusted, strict=True))
        ]
    )
    again = expanded @ described.T
    table.add("  + verified AQE", *here.quality(again), spent_ms, stored)
    more, spent_ms = verify_all(here, nearest_others(again, here.queries)[:, :VERIFIED])
    table.add("  + verified AQE, verified again", *here.quality(reordered(again, more)), 2 * spent_ms, stored)


def nearest_others(cosines: NDArray[np.float32], queries: Sequence[int]) -> NDArray[np.intp]:
    """shape=(Q, N - 1): rows by descending cosine, the query left out."""
    others = cosines.copy()
    others[np.arange(len(queries)), queries] = -np.inf
    return np.argsort(-others, axis=1, kind="stable")[:, :-1]


def verify_all(here: Collection, candidates: NDArray[np.intp]) -> tuple[NDArray[np.int64], float]:
    """Inliers, shape=(Q, N), 0 where not a candidate; milliseconds a query."""
    features = [picture.first(VERIFIED_FEATURES) for picture in here.features]
    inliers = np.zeros((len(here.queries), len(features)), np.int64)
    start = time.perf_counter()
    for place, (query, rows) in enumerate(zip(here.queries, candidates, strict=True)):
        for row in rows:
            match = verify(features[query], features[row])
            inliers[place, row] = 0 if match is None else match.inliers
    return inliers, (time.perf_counter() - start) * 1e3 / len(here.queries)


def reordered(cosines: NDArray[np.float32], inliers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Scores whose descending order is that of `reranked`."""
    scores = np.empty_like(cosines)
    for place, (row, found) in enumerate(zip(cosines, inliers, strict=True)):
        by_distance = np.argsort(-row, kind="stable")
        distances = np.sqrt(np.maximum(2 - 2 * row[by_distance], 0))
        order = by_distance[reranked(distances, found[by_distance])]
        scores[place, order] = -np.arange(len(order))
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, default=Path(os.environ.get("EVAL_PHOTOS", "../shared/data/eval"))
    )
    folder = parser.parse_args().photos
    cv2.setNumThreads(1)
    holidays = load_collection(folder / "holidays", load_holidays(folder / "holidays"))
    corel = load_collection(folder / "corel1k", load_corel1k(folder / "corel1k"))
    measure("holidays", holidays, corel)
    measure("corel1k", corel, holidays)


if __name__ == "__main__":
    main()
