"""What exact search finds for sampled images, which an index is measured by.

It is kept beside the index. When the collection grows, only the new images are compared with the old samples,
and a few samples of the new images with the whole collection: to compare all again would take longer than
all the rest of growing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import load_arrays
from imagesearch.errors import SnapshotDamaged
from imagesearch.index.base import Neighbours
from imagesearch.index.building.training import sampled_rows
from imagesearch.index.exact import ExactIndex, search_many
from imagesearch.index.half_precision import widened
from imagesearch.index.matrix import DescriptorMatrix

K = 10
SPARE = 16
"""Neighbours kept beyond the K, for those that are deleted later."""
DEPTH = K + 1 + SPARE
"""One more, for each sample finds itself, which counts for nothing."""
LEAST_NEW_SAMPLES = 4
"""Each is compared with the whole collection, which soon takes longer than all the rest of growing."""
TRUTH_FILE = "index.truth.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """S sampled images as queries, with their nearest."""

    own_rows: NDArray[np.int64]
    """shape=(S,): the samples."""
    nearest: Neighbours
    """shape=(S, DEPTH), themselves among them; the first K + 1 at least are known."""

    def write(self, directory: Path) -> None:
        np.savez(
            directory / TRUTH_FILE,
            own_rows=self.own_rows,
            rows=self.nearest.rows,
            distances=self.nearest.distances,
        )

    @classmethod
    def read(cls, directory: Path) -> Truth | None:
        """None where the index was built before this was kept. Raises SnapshotDamaged."""
        try:
            arrays = load_arrays(directory / TRUTH_FILE)
            return cls(arrays["own_rows"], Neighbours(arrays["rows"], arrays["distances"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise SnapshotDamaged("The index's self-test cannot be read; build it again.") from error


def find_truth(descriptors: DescriptorMatrix, samples: int, rng: np.random.Generator) -> Truth:
    """Reads the whole matrix once."""
    own_rows = sampled_rows(descriptors, samples, rng)
    return Truth(own_rows, search_many(descriptors, widened(descriptors[own_rows]), DEPTH))


def grown_truth(
    before: Truth, descriptors: DescriptorMatrix, first_new_row: int, threads: int, rng: np.random.Generator
) -> Truth:
    """As many samples as before or a few less, new images their share among them; without deleted ones, and
    without those that have lost too many neighbours to deletion."""
    old = _merged(before, descriptors, first_new_row)
    new_rows = _new_samples(len(before.own_rows), descriptors, first_new_row, rng)
    with closing(ExactIndex(descriptors, threads)) as exact:
        new = Truth(new_rows, exact.search(widened(descriptors[new_rows]), DEPTH))
    room = max(0, len(before.own_rows) - len(new_rows))
    kept = np.sort(rng.permutation(len(old.own_rows))[:room])
    return Truth(
        np.concatenate((old.own_rows[kept], new.own_rows)),
        Neighbours(
            np.concatenate((old.nearest.rows[kept], new.nearest.rows)),
            np.concatenate((old.nearest.distances[kept], new.nearest.distances)),
        ),
    )


def _merged(before: Truth, descriptors: DescriptorMatrix, first_new_row: int) -> Truth:
    """The old samples among old and new images."""
    alive = np.isin(before.own_rows, descriptors.without_deleted(before.own_rows))
    own_rows, rows = before.own_rows[alive], before.nearest.rows[alive]
    kept = np.isin(rows, descriptors.without_deleted(rows[rows >= 0]))
    distances = np.where(kept, before.nearest.distances[alive], np.inf)
    # Beyond the last old neighbour that is left nobody has looked.
    known_until = distances.max(axis=1, initial=0, where=kept)
    among_new = search_many(descriptors, widened(descriptors[own_rows]), DEPTH, first_new_row)
    rows = np.concatenate((np.where(kept, rows, -1), among_new.rows), axis=1)
    distances = np.concatenate((distances, among_new.distances), axis=1)
    distances[distances > known_until[:, np.newaxis]] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :DEPTH]
    rows, distances = np.take_along_axis(rows, order, axis=1), np.take_along_axis(distances, order, axis=1)
    enough = np.isfinite(distances[:, K])
    rows[~np.isfinite(distances)] = -1
    return Truth(own_rows[enough], Neighbours(rows[enough], distances[enough].astype(np.float32)))


def _new_samples(
    samples: int, descriptors: DescriptorMatrix, first_new_row: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """So many that new images are among all `samples` as often as in the collection."""
    rows = descriptors.without_deleted(np.arange(first_new_row, len(descriptors)))
    count = max(LEAST_NEW_SAMPLES, round(samples * len(rows) / descriptors.count))
    return np.sort(rng.choice(rows, min(count, len(rows)), replace=False))
