"""What training minimises, on any backend of Keras: one value a row, whose mean counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from training.recipes import LossName

LABEL_SMOOTHING = 0.1
TEMPERATURE = 0.1
MARGIN = 0.2


def classification(labels: Any, logits: Any) -> Any:
    """Cross-entropy with smoothed labels (Szegedy et al. 2016, section 7).

    labels: shape=(B,), integers. logits: shape=(B, C).
    """
    wanted = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), ops.shape(logits)[-1])
    return keras.losses.categorical_crossentropy(
        wanted, logits, from_logits=True, label_smoothing=LABEL_SMOOTHING
    )


def contrastive(labels: Any, vectors: Any) -> Any:
    """Pulls together what is of one label and pushes the rest apart.

    Khosla et al. 2020, "Supervised contrastive learning", equation 2. A row alone of its label only pushes.

    labels: shape=(B,), integers. vectors: shape=(B, D), of any length.
    """
    itself = ops.eye(ops.shape(vectors)[0])
    similarity = _cosines(vectors) / TEMPERATURE - 1e9 * itself
    log_share = similarity - ops.logsumexp(similarity, axis=1, keepdims=True)
    positive = ops.cast(_same(labels), "float32") - itself
    return -ops.sum(positive * log_share, axis=1) / ops.maximum(ops.sum(positive, axis=1), 1)


def triplet(labels: Any, vectors: Any) -> Any:
    """Every row with the farthest of its own label and the nearest of another, both found in the batch.

    Hermans et al. 2017, "In defense of the triplet loss", equation 5 (batch hard). Rows without either add
    nothing.

    labels: shape=(B,), integers. vectors: shape=(B, D), of any length.
    """
    distances = ops.sqrt(ops.maximum(2 - 2 * _cosines(vectors), 1e-8))
    same = _same(labels)
    positive = ops.logical_and(same, ops.logical_not(ops.cast(ops.eye(ops.shape(vectors)[0]), "bool")))
    farthest = ops.max(ops.where(positive, distances, -1.0), axis=1)
    nearest = ops.min(ops.where(same, 3.0, distances), axis=1)  # no distance exceeds 2
    counts = ops.cast(ops.logical_and(farthest >= 0, nearest < 3), "float32")
    return counts * ops.relu(farthest - nearest + MARGIN)


LOSSES: dict[LossName, Callable[[Any, Any], Any]] = {
    "classification": classification,
    "contrastive": contrastive,
    "triplet": triplet,
}


def _cosines(vectors: Any) -> Any:
    """shape=(B, B); the gradient stays finite at a row of zeros."""
    unit = ops.normalize(ops.cast(vectors, "float32"), epsilon=1e-6)
    return ops.matmul(unit, ops.transpose(unit))


def _same(labels: Any) -> Any:
    """shape=(B, B), whether two rows are of one label."""
    column = ops.reshape(labels, (-1, 1))
    return ops.equal(column, ops.transpose(column))
