"""The kinds of global descriptors, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Backbone
from imagesearch.descriptors.base import Descriptor, Encoding
from imagesearch.descriptors.bof import BagOfFeatures, learn_bof
from imagesearch.descriptors.choices import DEFAULT_SETTINGS, LOCAL_KINDS, DescriptorSettings
from imagesearch.descriptors.embedding import Embedding
from imagesearch.descriptors.pooled import POOLINGS, SINGLE_SCALE, THREE_SCALES, Pooled
from imagesearch.descriptors.summed import Summed, learn_summed
from imagesearch.descriptors.temb import Temb, learn_temb
from imagesearch.descriptors.vlad import Vlad, learn_vlad
from imagesearch.errors import InvalidOption

LEARNING_PICTURES = 2_048
"""Of a larger collection so many are learnt from."""

_LEARN: Mapping[str, Callable[[Sequence[NDArray[np.float32]], int], tuple[Encoding, str]]] = {
    "bof": learn_bof,
    "vlad": learn_vlad,
    "temb": learn_temb,
}
_RESTORE: Mapping[str, Callable[[Mapping[str, NDArray[Any]]], Encoding]] = {
    "bof": BagOfFeatures.from_arrays,
    "vlad": Vlad.from_arrays,
    "temb": Temb.from_arrays,
}


def create_descriptor(
    kind: str, backbone: Backbone, settings: DescriptorSettings = DEFAULT_SETTINGS
) -> Descriptor:
    """Raises InvalidOption for a descriptor that the network does not give."""
    card = backbone.card
    if kind == card.descriptor:
        return Embedding(backbone)
    if kind in POOLINGS and card.conv_map:
        scales = THREE_SCALES if settings.multi_scale else SINGLE_SCALE
        return Pooled(kind, backbone, settings.long_side_px, scales)
    given = (card.descriptor, *(POOLINGS if card.conv_map else ()), *LOCAL_KINDS)
    raise InvalidOption(f"{card.title} gives no descriptor “{kind}”; there are: {', '.join(given)}.")


def learn_encoding(
    kind: str, settings: DescriptorSettings, dim: int, pictures: Sequence[NDArray[np.float32]]
) -> tuple[Encoding, str]:
    """The encoding, and what is to be said of it where it is not all that was asked for.

    dim: C, values of one vector. pictures: the vectors of at most LEARNING_PICTURES pictures, shape=(R, C)
    each, in random order; there may be none. Raises InvalidOption where nothing can be learnt from so few.
    """
    if kind in LOCAL_KINDS:
        return _LEARN[kind](pictures, settings.words)
    return learn_summed(pictures, dim) if settings.whitening else (Summed(dim), "")


def restore_encoding(kind: str, arrays: Mapping[str, NDArray[Any]]) -> Encoding:
    """From what its `to_arrays` gave. Raises KeyError or ValueError for something else."""
    return _RESTORE.get(kind, Summed.from_arrays)(arrays)
