"""All that one snapshot has learnt of its collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.base import Encoding
from imagesearch.descriptors.vlad import Vlad, learn_vlad

CANDIDATE_WORDS = 64
"""On Holidays as many of the right photos are among the first 40 by 64 words as by 256 (0.82 of them), more
than among those by a bag of 5,000 words (0.75)."""


@dataclass(frozen=True, slots=True)
class Encodings:
    """How the vectors of a picture become what is searched."""

    descriptor: Encoding
    candidates: Vlad | None = None
    """Of local features: finds what is worth verifying, also where the descriptor does not; None where there
    are no local features or the descriptor is made of them and does it as well."""
    note: str = ""
    """What could not be learnt as asked for, one sentence or more; empty where all could."""


def needs_candidates(kind: str, local_features: bool) -> bool:
    return local_features and kind not in ("vlad", "temb")


def learn_candidates(pictures: Sequence[NDArray[np.float32]]) -> Vlad | None:
    """pictures: the local features of each, shape=(N, 128); None where there is no picture."""
    return learn_vlad(pictures, CANDIDATE_WORDS)[0] if pictures else None
