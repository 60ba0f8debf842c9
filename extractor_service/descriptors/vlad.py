"""VLAD: per visual word, the sum of the residuals of the features assigned to it.

Jégou, Douze, Schmid & Pérez, "Aggregating local descriptors into a compact image representation", CVPR 2010:

    v_k = Σ_{x: NN(x) = c_k} (x − c_k)

with each residual L2-normalised first (Delhumeau et al., "Revisiting the VLAD image representation", ACM MM
2013, section 3.1), signed square roots, and each v_k L2-normalised on its own (intra-normalisation:
Arandjelović & Zisserman, "All about VLAD", CVPR 2013, section 3.1), so that no repeated structure dominates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.normalisation import l2_normalised, signed_power
from extractor_service.descriptors.vocabulary import Vocabulary


def vlad(vectors: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """vectors: shape=(N, D), one picture's local features. Returns shape=(K * D,), L2-normalised; 0 for N =
    0."""
    residuals = np.zeros_like(vocabulary.words)
    nearest = vocabulary.assign(vectors)
    np.add.at(residuals, nearest, l2_normalised(vectors - vocabulary.words[nearest]))
    blocks = l2_normalised(signed_power(residuals, 0.5))
    return l2_normalised(blocks.ravel())
