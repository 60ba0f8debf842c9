"""Query expansion: search again with the query averaged with its own best results.

Chum, Philbin, Sivic, Isard & Zisserman, "Total recall: automatic query expansion with a generative feature
model", ICCV 2007, section 4.2. All functions take and return L2-normalised vectors; the query always has
weight 1.

How many neighbours to take depends on how many right answers a query has. Up to two keep their order among
themselves; of more, wrong ones that resemble each other can outvote a right one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised


def average_expansion(query: NDArray[np.float32], neighbours: NDArray[np.float32]) -> NDArray[np.float32]:
    """AQE: the mean of the query and its nearest; without any the query stays as it is.

    query: shape=(D,), neighbours: shape=(N, D).
    """
    if not len(neighbours):
        return query
    return weighted_expansion(query, neighbours, np.ones(len(neighbours), np.float32))


def alpha_expansion(
    query: NDArray[np.float32], neighbours: NDArray[np.float32], alpha: float = 3.0
) -> NDArray[np.float32]:
    """α-QE: each neighbour weighs its cosine with the query to the power α, so that far ones hardly count.

    Radenović, Tolias & Chum, TPAMI 2018, section 5.2; α = 3 is theirs. α = 0 is AQE. Negative cosines weigh
    0.
    """
    cosines = np.maximum(neighbours @ query, 0)
    return weighted_expansion(query, neighbours, cosines**alpha)


def weighted_expansion(
    query: NDArray[np.float32], neighbours: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """query + Σ weight · neighbour, L2-normalised. weights: shape=(N,), >= 0."""
    return l2_normalised(query + weights.astype(np.float32) @ neighbours)
