"""Batches as a function of seed and step alone: a run that goes on sees those that it would have seen."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.pictures import LabelledPhotos
from training.recipes import FinetuneRecipe

STRETCH = 20
"""Steps, at most, from one checkpoint and one line of the log to the next."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """The batches of one stretch, each of as many photos of every label in it.

    A label with fewer photos gives some of them twice; a rare label comes as often as a common one.
    """

    def __init__(self, photos: LabelledPhotos, rows: NDArray[np.intp], recipe: FinetuneRecipe) -> None:
        """rows: those of the photos to learn from."""
        super().__init__()
        self._photos, self._seed, self._per_label = photos, recipe.seed, recipe.photos_per_label
        self._rows_by_label = [rows[photos.labels[rows] == label] for label in np.unique(photos.labels[rows])]
        self._labels = min(recipe.labels_per_batch, len(self._rows_by_label))
        wanted = max(1, round(recipe.epochs * len(rows) / (self._labels * self._per_label)))
        self._length = min(STRETCH, wanted)
        self.stretches = -(-wanted // self._length)
        self.stretch = 0
        """The one that is iterated over."""

    @property
    def steps(self) -> int:
        return self.stretches * self._length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Pixels, shape=(B, S, S, 3), and labels, shape=(B,)."""
        rng = np.random.default_rng([self._seed, self.stretch * self._length + index])
        drawn = rng.choice(len(self._rows_by_label), self._labels, replace=False)
        rows = np.concatenate([self._some(rng, self._rows_by_label[label]) for label in drawn])
        return self._photos.pixels[rows], self._photos.labels[rows]

    def _some(self, rng: np.random.Generator, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        return rng.choice(rows, self._per_label, replace=len(rows) < self._per_label)
