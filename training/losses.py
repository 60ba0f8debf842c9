"""What training minimises, on any backend of Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def classification(labels: Any, logits: Any, smoothing: float) -> Any:
    """Mean cross-entropy with smoothed labels (Szegedy et al. 2016, section 7).

    labels: shape=(B,), integers. logits: shape=(B, C).
    """
    classes = ops.shape(logits)[-1]
    wanted = ops.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
    return ops.mean(keras.losses.categorical_crossentropy(wanted, logits, from_logits=True))


def contrastive(descriptors: Any, groups: Any, temperature: float) -> Any:
    """Pulls together what is of one group and pushes the rest apart.

    Khosla et al. 2020, "Supervised contrastive learning", equation 2. With two views of each photo and the
    photos as groups it is NT-Xent (Chen et al. 2020, equation 1). A row alone in its group only pushes.

    descriptors: shape=(B, D), L2-normalised. groups: shape=(B,), integers.
    """
    rows = ops.shape(descriptors)[0]
    itself = ops.eye(rows)
    similarity = ops.matmul(descriptors, ops.transpose(descriptors)) / temperature - 1e9 * itself
    log_share = similarity - ops.logsumexp(similarity, axis=1, keepdims=True)
    positive = ops.cast(ops.equal(groups[:, None], groups[None, :]), log_share.dtype) - itself
    positives = ops.sum(positive, axis=1)
    means = ops.sum(positive * log_share, axis=1) / ops.maximum(positives, 1)
    return -ops.sum(means) / ops.maximum(ops.sum(ops.cast(positives > 0, means.dtype)), 1)


def triplet(descriptors: Any, groups: Any, margin: float) -> Any:
    """Every row with the farthest of its own group and the nearest of another, both found in the batch.

    Hermans et al. 2017, "In defense of the triplet loss", equation 5 (batch hard). Rows without either add
    nothing.

    descriptors: shape=(B, D), L2-normalised. groups: shape=(B,), integers.
    """
    cosines = ops.matmul(descriptors, ops.transpose(descriptors))
    distances = ops.sqrt(ops.maximum(2 - 2 * cosines, 1e-8))
    same = ops.equal(groups[:, None], groups[None, :])
    positive = ops.logical_and(same, ops.logical_not(ops.cast(ops.eye(ops.shape(descriptors)[0]), "bool")))
    farthest = ops.max(ops.where(positive, distances, -1.0), axis=1)
    nearest = ops.min(ops.where(same, 3.0, distances), axis=1)  # no distance exceeds 2
    counts = ops.cast(ops.logical_and(farthest >= 0, nearest < 3), distances.dtype)
    return ops.sum(counts * ops.relu(farthest - nearest + margin)) / ops.maximum(ops.sum(counts), 1)


def l2_normalised(vectors: Any) -> Any:
    """Rows of length 1; the gradient stays finite at a row of zeros."""
    return vectors / ops.sqrt(ops.maximum(ops.sum(vectors * vectors, axis=-1, keepdims=True), 1e-12))
