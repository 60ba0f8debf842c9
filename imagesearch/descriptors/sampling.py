"""What vocabularies and embeddings are learnt from: some local features of some pictures."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

_SEED = 20030101


def sampled_features(pictures: Sequence[NDArray[np.float32]], count: int) -> NDArray[np.float32]:
    """`count` local features or a few more, in random order, of each picture as large a share.

    pictures: of each its features, shape=(N, D); there is at least one. Returns shape=(M, D), the same for
    the same pictures.
    """
    rng = np.random.default_rng(_SEED)
    share = min(1.0, count / max(1, sum(map(len, pictures))))
    parts = [vectors[rng.permutation(len(vectors))[: ceil(share * len(vectors))]] for vectors in pictures]
    sample = np.concatenate(parts)
    return sample[rng.permutation(len(sample))]
