"""How good a network is on photos that it has not learnt from."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised
from training.pictures import LabelledPhotos
from training.recipes import Comparison

BATCH = 64
RESAMPLINGS = 2000

Precisions = tuple[NDArray[np.float64], NDArray[np.int32]]
"""Average precision of each photo as a query among the others, and its label."""


def precisions(network: keras.Model, photos: LabelledPhotos, rows: NDArray[np.intp]) -> Precisions:
    """network: describes. rows: of the photos, which search one another."""
    vectors = network.predict(photos.pixels[rows], batch_size=BATCH, verbose=0)
    labels = photos.labels[rows]
    return average_precisions(l2_normalised(np.asarray(vectors, np.float32)), labels), labels


def average_precisions(vectors: NDArray[np.float32], groups: NDArray[np.int32]) -> NDArray[np.float64]:
    """Each picture searches all others for those of its group.

    The mean of the precisions at each right answer (Manning, Raghavan & Schütze 2008, section 8.4).
    vectors: shape=(N, D), L2-normalised. Returns shape=(N,), NaN for a picture alone in its group.
    """
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :-1]
    right = groups[order] == groups[:, None]
    precisions = np.cumsum(right, axis=1) / np.arange(1, right.shape[1] + 1)
    counts = right.sum(axis=1)
    averages: NDArray[np.float64] = (precisions * right).sum(axis=1) / np.maximum(counts, 1)
    averages[counts == 0] = np.nan
    return averages


def mean_by_label(precisions: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    """Each label counts the same, however many pictures it has; those without a measured picture do not."""
    means = [np.nanmean(own) for own in _by_label(precisions, labels)]
    return float(np.mean(means)) if means else 0.0


def _by_label(precisions: NDArray[np.float64], labels: NDArray[np.int32]) -> list[NDArray[np.float64]]:
    measured = ~np.isnan(precisions)
    return [precisions[measured & (labels == label)] for label in np.unique(labels[measured])]


def compare(
    before: Precisions,
    after: Precisions,
    seed: int,
) -> Comparison:
    """Each is precisions and labels of the same pictures in the same order.

    The interval is a paired bootstrap over queries within each label (Sakai 2006, section 3).
    """
    rng = np.random.default_rng(seed)
    differences = _by_label(after[0] - before[0], before[1])
    drawn = [each[rng.integers(0, len(each), (RESAMPLINGS, len(each)))].mean(axis=1) for each in differences]
    low, high = np.quantile(np.mean(drawn, axis=0), (0.025, 0.975)) if drawn else (0.0, 0.0)
    return Comparison(
        mean_by_label(*before),
        mean_by_label(*after),
        float(low),
        float(high),
        sum(len(each) for each in differences),
    )
