"""A network and a machine small enough that a run takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imagesearch.backbones.making.vgg_layout import COMPACT_LAYOUT
from imagesearch.pictures.decode import ImageLimits
from training.network import random_weights
from training.recipes import Machine
from training.weights_output import write_weights

MACHINE = Machine(bf16=False, workers=1, limits=ImageLimits(10**7, 10**7))


def no_progress(what: str, total: int) -> Callable[[int], object]:
    return lambda done: None


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compact network with few channels, random."""
    path = tmp_path_factory.mktemp("weights") / "small.npz"
    small = replace(COMPACT_LAYOUT, block_widths=(4, 6, 8, 10, 12), fc6_dim=16)
    write_weights(path, random_weights(small, seed=1))
    return path
