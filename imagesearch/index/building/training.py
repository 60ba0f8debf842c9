"""Building codes of each kind over a collection, learnt on a sample of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.codes import Codes, FaissCodes
from imagesearch.index.flann import ALGORITHMS, FlannCodes, write_features
from imagesearch.index.half_precision import widened
from imagesearch.index.matrix import DescriptorMatrix

ROTATION_ROWS = 8_192
CODE_ROWS = 32_768
OPQ_ITERATIONS = 10
MAX_LISTS = 4_096
ROWS_A_LIST = 40
"""faiss asks for at least 39 training rows a centroid."""
BLOCK_ROWS = 16_384


class Training(Protocol):
    """How the codes of one kind are made, and what that takes."""

    @property
    def rotated_dim(self) -> int:
        """Values of a descriptor in front of the codes, at most."""
        ...

    def code_bytes(self, dim: int) -> int:
        """Of a row in memory. dim: after the rotation."""
        ...

    def training_rows(self, count: int) -> int:
        """Rows that are sampled, rotated, of a collection of `count`."""
        ...

    def build(
        self, descriptors: DescriptorMatrix, directory: Path, rng: np.random.Generator
    ) -> Iterator[tuple[str, Codes]]:
        """Codes of every row, by each of the kind's methods in turn, with the method's name."""
        ...


@dataclass(frozen=True, slots=True)
class FlannTraining:
    """Trees, which need no sample."""

    rotated_dim: int = 64

    def code_bytes(self, dim: int) -> int:
        return dim * 4 + 8 * 2 * 24  # with the nodes of eight trees

    def training_rows(self, count: int) -> int:
        return CODE_ROWS

    def build(
        self, descriptors: DescriptorMatrix, directory: Path, rng: np.random.Generator
    ) -> Iterator[tuple[str, Codes]]:
        turn = _rotation(descriptors, self.rotated_dim, rng)
        features = write_features(turn, descriptors, directory)
        for method, parameters in ALGORITHMS.items():
            yield method, FlannCodes(turn, features, cv2.flann.Index(features, parameters))


@dataclass(frozen=True, slots=True)
class FaissTraining:
    """Codes of faiss, behind a rotation onto the principal directions."""

    factory: str
    """In faiss' own notation; `parts` are half the dimensions, `lists` those of an inverted file."""
    bytes_beside_codes: int = 0
    """Of a row, such as its number or its links."""
    code_bits: int = 2
    """Of each dimension."""
    is_balanced: bool = False
    """Whether it is turned at random, so that all components vary alike."""
    is_optimised: bool = False
    """Whether a further rotation is learnt, that balances the parts of a product quantiser."""
    rotated_dim: int = 256

    @property
    def has_lists(self) -> bool:
        return "{lists}" in self.factory

    def code_bytes(self, dim: int) -> int:
        return dim * self.code_bits // 8 + self.bytes_beside_codes

    def training_rows(self, count: int) -> int:
        return max(CODE_ROWS, ROWS_A_LIST * list_count(count)) if self.has_lists else CODE_ROWS

    def build(
        self, descriptors: DescriptorMatrix, directory: Path, rng: np.random.Generator
    ) -> Iterator[tuple[str, Codes]]:
        codes = FaissCodes(self.train(descriptors, rng))
        add_rows(codes, descriptors, first_row=0)
        yield "", codes

    def train(self, descriptors: DescriptorMatrix, rng: np.random.Generator) -> faiss.IndexPreTransform:
        """An empty index of this kind with its rotation and centroids learnt."""
        turn = _rotation(descriptors, self.rotated_dim, rng, self.is_balanced)
        sample = _rotated_sample(turn, descriptors, self.training_rows(descriptors.count), rng)
        recipe = self.factory.format(parts=turn.d_out // 2, lists=list_count(descriptors.count))
        codes = faiss.index_factory(turn.d_out, recipe)
        if self.has_lists:
            codes.train(sample)
            return faiss.IndexPreTransform(turn, codes)
        with _one_thread():
            if self.is_optimised:
                return _optimised(turn, codes, sample)
            codes.train(sample)
            return faiss.IndexPreTransform(turn, codes)


TRAININGS: dict[str, Training] = {
    "pq": FaissTraining("PQ{parts}x4fs", is_balanced=True),
    "opq": FaissTraining("PQ{parts}x4fs", is_optimised=True),
    "ivf": FaissTraining("IVF{lists},PQ{parts}x4fs", bytes_beside_codes=8, is_balanced=True),
    "hnsw": FaissTraining("HNSW32_SQ8", bytes_beside_codes=64 * 4, code_bits=8),
    "flann": FlannTraining(),
}
"""By the names of `kinds.KINDS`."""


def add_rows(codes: FaissCodes, descriptors: DescriptorMatrix, first_row: int) -> None:
    """Every row from `first_row`, which begins a segment, in turn."""
    for start, block in descriptors.blocks(BLOCK_ROWS):
        if start >= first_row:
            codes.add(widened(block))


def list_count(count: int) -> int:
    """Inverted lists for so many rows: about 4 √N, a power of two, and no more than train in a minute."""
    wanted = 2 ** round(np.log2(4 * np.sqrt(count)))
    trainable = 2 ** int(np.log2(max(1, count // ROWS_A_LIST)))
    return int(min(MAX_LISTS, wanted, trainable))


def sampled_rows(descriptors: DescriptorMatrix, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Of different images, ascending: memory-mapped pages are then read in order."""
    places = rng.choice(descriptors.count, size=min(descriptors.count, size), replace=False)
    return np.sort(descriptors.rows_at(places))


def _optimised(
    turn: faiss.LinearTransform, codes: faiss.Index, sample: NDArray[np.float32]
) -> faiss.IndexPreTransform:
    balance = faiss.OPQMatrix(turn.d_out, codes.pq.M)
    balance.niter = OPQ_ITERATIONS
    balance.pq = codes.pq  # 4 bits a part, not the 8 that it would take
    balance.train(sample)
    codes.train(balance.apply(sample))
    index = faiss.IndexPreTransform(balance, codes)
    index.prepend_transform(turn)
    return index


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


OVERSAMPLING = 32
POWER_ITERATIONS = 3


def principal_directions(
    sample: NDArray[np.float32], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean, shape=(D,), and the `count` directions of largest variance, shape=(count, D), orthonormal.

    sample: shape=(N, D). By randomised subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4):
    for 4096 dimensions a few products instead of minutes of eigenvalues.
    """
    mean = sample.mean(axis=0)
    centred = sample - mean
    width = min(count + OVERSAMPLING, *centred.shape)
    basis = np.linalg.qr(rng.standard_normal((centred.shape[1], width), dtype=np.float32))[0]
    for _ in range(POWER_ITERATIONS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    projected = centred @ basis
    _, vectors = np.linalg.eigh(projected.T @ projected)
    return mean, np.ascontiguousarray((basis @ vectors[:, ::-1][:, :count]).T, dtype=np.float32)


def rotation(
    sample: NDArray[np.float32], count: int, rng: np.random.Generator, balanced: bool = False
) -> faiss.LinearTransform:
    """The transform x → directions · (x − mean) as faiss keeps it.

    balanced: turned once more, at random, so that all components vary alike. Each part of a code has as many
    bits, and those spent on directions in which nothing varies are lost (Jégou, Perronnin, Douze, Sánchez,
    Pérez & Schmid 2012, "Aggregating local image descriptors into compact codes", section 3.3).
    """
    mean, directions = principal_directions(sample, count, rng)
    if balanced:
        turn = np.linalg.qr(rng.standard_normal((len(directions), len(directions))))[0]
        directions = np.ascontiguousarray(turn.astype(np.float32) @ directions)
    transform = faiss.LinearTransform(sample.shape[1], count, True)
    faiss.copy_array_to_vector(directions.ravel(), transform.A)
    faiss.copy_array_to_vector(-directions @ mean, transform.b)
    transform.is_trained = True
    return transform
