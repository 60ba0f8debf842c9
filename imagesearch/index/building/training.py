"""Building codes of each kind over a collection, learnt on a sample of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.building.rotation import rotation
from imagesearch.index.codes import Codes, FaissCodes
from imagesearch.index.flann import ALGORITHMS, FlannCodes, write_features
from imagesearch.index.half_precision import widened
from imagesearch.index.matrix import DescriptorMatrix

ROTATED_DIM = 256
FLANN_DIM = 64
ROTATION_ROWS = 8_192
CODE_ROWS = 32_768
OPQ_ITERATIONS = 10
MAX_LISTS = 4_096
ROWS_A_LIST = 40
"""faiss asks for at least 39 training rows a centroid."""
BLOCK_ROWS = 16_384


def build_codes(
    kind: str, descriptors: DescriptorMatrix, directory: Path, rng: np.random.Generator
) -> Iterator[tuple[str, Codes]]:
    """Codes of every row, by each of the kind's methods in turn, with the method's name."""
    if kind == "flann":
        turn = _rotation(descriptors, FLANN_DIM, rng)
        features = write_features(turn, descriptors, directory)
        for method, parameters in ALGORITHMS.items():
            yield method, FlannCodes(turn, features, cv2.flann.Index(features, parameters))
        return
    codes = FaissCodes(kind, train(kind, descriptors, rng))
    add_rows(codes, descriptors, first_row=0)
    yield "", codes


def add_rows(codes: FaissCodes, descriptors: DescriptorMatrix, first_row: int) -> None:
    """Every row from `first_row`, which begins a segment, in turn."""
    for start, block in descriptors.blocks(BLOCK_ROWS):
        if start >= first_row:
            codes.add(widened(block))


def train(kind: str, descriptors: DescriptorMatrix, rng: np.random.Generator) -> faiss.IndexPreTransform:
    """An empty index of this kind with its rotation and centroids learnt."""
    lists = list_count(descriptors.count)
    turn = _rotation(descriptors, ROTATED_DIM, rng, balanced=kind in ("pq", "ivf"))
    sample = _rotated_sample(turn, descriptors, training_rows(kind, lists), rng)
    codes = faiss.index_factory(turn.d_out, recipe(kind, turn.d_out, lists))
    if kind == "ivf":
        codes.train(sample)
        return faiss.IndexPreTransform(turn, codes)
    with _one_thread():
        return _trained(kind, turn, codes, sample)


def _trained(
    kind: str, turn: faiss.LinearTransform, codes: faiss.Index, sample: NDArray[np.float32]
) -> faiss.IndexPreTransform:
    if kind != "opq":
        codes.train(sample)
        return faiss.IndexPreTransform(turn, codes)
    balance = faiss.OPQMatrix(turn.d_out, codes.pq.M)
    balance.niter = OPQ_ITERATIONS
    balance.pq = codes.pq  # 4 bits a part, not the 8 that it would take
    balance.train(sample)
    codes.train(balance.apply(sample))
    index = faiss.IndexPreTransform(balance, codes)
    index.prepend_transform(turn)
    return index


def recipe(kind: str, dim: int, lists: int) -> str:
    """The codes in faiss' own notation: 4 bits for every two dimensions."""
    return {
        "pq": f"PQ{dim // 2}x4fs",
        "opq": f"PQ{dim // 2}x4fs",
        "ivf": f"IVF{lists},PQ{dim // 2}x4fs",
        "hnsw": "HNSW32_SQ8",
    }[kind]


def code_bytes(kind: str, dim: int) -> int:
    """Of a row in memory. dim: after the rotation."""
    return {
        "pq": dim // 4,
        "opq": dim // 4,
        "ivf": dim // 4 + 8,  # with its number
        "hnsw": dim + 64 * 4,  # with its links
        "flann": dim * 4 + 8 * 2 * 24,  # with the nodes of eight trees
    }[kind]


def training_rows(kind: str, lists: int) -> int:
    return max(CODE_ROWS, ROWS_A_LIST * lists) if kind == "ivf" else CODE_ROWS


def list_count(count: int) -> int:
    """Inverted lists for so many rows: about 4 √N, a power of two, and no more than train in a minute."""
    wanted = 2 ** round(np.log2(4 * np.sqrt(count)))
    trainable = 2 ** int(np.log2(max(1, count // ROWS_A_LIST)))
    return int(min(MAX_LISTS, wanted, trainable))


def sampled_rows(descriptors: DescriptorMatrix, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Of different images, ascending: memory-mapped pages are then read in order."""
    places = rng.choice(descriptors.count, size=min(descriptors.count, size), replace=False)
    return np.sort(descriptors.rows_at(places))


@contextmanager
def _one_thread() -> Iterator[None]:
    """For thousands of loops of microseconds, at whose ends threads on a busy machine wait for each other."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _rotation(
    descriptors: DescriptorMatrix, dim: int, rng: np.random.Generator, balanced: bool = False
) -> faiss.LinearTransform:
    """Onto the `dim` principal directions, or as many as there are, a multiple of four."""
    sample = widened(descriptors[sampled_rows(descriptors, ROTATION_ROWS, rng)])
    return rotation(sample, min(dim, descriptors.dim) // 4 * 4, rng, balanced)


def _rotated_sample(
    turn: faiss.LinearTransform, descriptors: DescriptorMatrix, size: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    rows = sampled_rows(descriptors, size, rng)
    parts = (rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS))
    return np.concatenate([turn.apply(widened(descriptors[part])) for part in parts])
