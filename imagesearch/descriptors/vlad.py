"""VLAD: per visual word, the sum of the residuals of the features assigned to it.

Jégou, Douze, Schmid & Pérez, "Aggregating local descriptors into a compact image representation", CVPR 2010:

    v_k = Σ_{x: NN(x) = c_k} (x − c_k)

with each residual L2-normalised first (Delhumeau et al., "Revisiting the VLAD image representation", ACM MM
2013, section 3.1), signed square roots, and each v_k L2-normalised on its own (intra-normalisation:
Arandjelović & Zisserman, "All about VLAD", CVPR 2013, section 3.1), so that no repeated structure dominates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.normalisation import l2_normalised, or_nothing, signed_power
from imagesearch.descriptors.reduction import Reduction, learn_affordable_reduction
from imagesearch.descriptors.vocabulary import Vocabulary, learn_affordable_vocabulary, sampled_features

WORDS = 256
FEATURES_PER_WORD = 39
"""What faiss asks of k-means."""

LEARNING_FEATURES = 60_000
REDUCTION_PICTURES = 1_536
"""Their vectors of 32,768 dimensions take 200 MB while the axes are learnt."""


@dataclass(frozen=True, slots=True, eq=False)
class Vlad:
    """An `Encoding`: `vlad`, brought to fewer dimensions where that was learnt."""

    vocabulary: Vocabulary
    reduction: Reduction | None = None

    @property
    def dim(self) -> int:
        return self.vocabulary.words.size if self.reduction is None else self.reduction.dim

    def encode(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Encoding`; of no features `or_nothing`'s direction."""
        described = vlad(vectors, self.vocabulary)
        return or_nothing(described if self.reduction is None else self.reduction.apply(described))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return self.vocabulary.to_arrays() | (self.reduction.to_arrays() if self.reduction else {})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Vlad:
        return cls(Vocabulary.from_arrays(arrays), Reduction.from_arrays(arrays))


def learn_vlad(pictures: Sequence[NDArray[np.float32]], word_count: int = WORDS) -> tuple[Vlad, str]:
    """Learns the words, then the axes, and says so where there are too few features or pictures.

    pictures: the local features of each, shape=(N_i, C).
    """
    features = sampled_features(pictures, LEARNING_FEATURES)
    vocabulary, note = learn_affordable_vocabulary(features, word_count, FEATURES_PER_WORD)
    described = np.stack([vlad(vectors, vocabulary) for vectors in pictures[:REDUCTION_PICTURES]])
    reduction, other_note = learn_affordable_reduction(described, exponent=1.0)
    return Vlad(vocabulary, reduction), " ".join(filter(None, (note, other_note)))


def vlad(vectors: NDArray[np.float32], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """vectors: shape=(N, D), one picture's local features. Returns shape=(K * D,), L2-normalised; 0 for N =
    0."""
    residuals = np.zeros_like(vocabulary.words)
    nearest = vocabulary.assign(vectors)
    np.add.at(residuals, nearest, l2_normalised(vectors - vocabulary.words[nearest]))
    blocks = l2_normalised(signed_power(residuals, 0.5))
    return l2_normalised(blocks.ravel())
